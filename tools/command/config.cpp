// postern config: the options in force, a check of the file, and the manual of all options.
#include "lib/config/config.h"

#include <fmt/format.h>

#include "tools/command/commands.h"

namespace postern::tools {
namespace {

using config::Option;
using config::Type;

constexpr std::string_view kManualHead = R"(# Configuration

One TOML file, `/etc/postern/postern.toml` unless `--config` names another. An option
`a.b` is the key `b` of the table `[a]`; a `*` stands for a name of your choice. Unknown keys
and values out of range are refused with the line and the nearest name. Durations are written
`500ms`, `15s`, `30min`, `2h`, `7d`; sizes `512`, `64KiB`, `10MiB`, `1GiB`; a secret is the
value itself or `file:/path`. SIGHUP to master reads the file again.

This page is made from the table that the program uses: `postern config manual`.
)";

std::string_view type_name(Type type) {
  switch (type) {
    case Type::boolean:
      return "true or false";
    case Type::integer:
      return "number";
    case Type::size:
      return "size";
    case Type::duration:
      return "duration";
    case Type::text:
      return "text";
    case Type::list:
      return "list";
    case Type::secret:
      return "secret";
  }
  return "";
}

std::string range(const Option& option) {
  if (option.most == INT64_MAX) return {};
  const std::string_view unit = option.type == Type::duration ? " ms"
                                : option.type == Type::size   ? " bytes"
                                                              : "";
  return fmt::format(" {} to {}{}.", option.least, option.most, unit);
}

void print_row(const Option& option) {
  const std::string standard =
      option.standard.empty() ? std::string() : fmt::format("`{}`", option.standard);
  fmt::print("| `{}` | {} | {} | {}{} |\n", option.name, type_name(option.type), standard,
             option.meaning, range(option));
}

/// The value in force, as it would be written; a secret's never.
std::string value_of(const config::Config& config, const Option& option, const std::string& name) {
  switch (option.type) {
    case Type::boolean:
      return config.boolean(name) ? "true" : "false";
    case Type::integer:
      return std::to_string(config.integer(name));
    case Type::size:
      return std::to_string(config.size(name));
    case Type::duration:
      return fmt::format("\"{}ms\"", config.duration(name).count());
    case Type::text:
      return fmt::format("\"{}\"", config.text(name));
    case Type::list:
      return fmt::format("[{}]", fmt::join(config.list(name), ", "));
    case Type::secret:
      return "(not shown)";
  }
  return {};
}

/// The names that a row with a '*' has in this configuration; itself without one.
std::vector<std::string> names_of(const config::Config& config, std::string_view row) {
  const auto star = row.find('*');
  if (star == std::string_view::npos) return {std::string(row)};
  std::vector<std::string> out;
  const std::string table(row.substr(0, star - 1));
  for (const auto& name : config.names_under(table))
    out.push_back(fmt::format("{}.{}{}", table, name, row.substr(star + 1)));
  return out;
}

}  // namespace

Result<int> config_show(const Arguments&, Context& context) {
  for (const auto& option : config::options())
    for (const auto& name : names_of(context.config(), option.name))
      fmt::print("{} = {}\n", name, value_of(context.config(), option, name));
  return 0;
}

Result<int> config_check(const Arguments&, Context& context) {
  fmt::print("{}: no mistakes\n", context.config().path());
  return 0;
}

Result<int> config_manual(const Arguments&, Context&) {
  fmt::print("{}", kManualHead);
  std::string_view group;
  for (const auto& option : config::options()) {
    const auto here = option.name.substr(0, option.name.find('.'));
    if (here != group)
      fmt::print("\n## {}\n\n| option | type | default | meaning |\n|---|---|---|---|\n", here);
    group = here;
    print_row(option);
  }
  return 0;
}

}  // namespace postern::tools
