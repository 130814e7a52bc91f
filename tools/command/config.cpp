// postern config: the options in force, a check of the file, and the manual of all options.
#include "lib/config/config.h"

#include <fmt/format.h>

#include "lib/config/manual.h"
#include "tools/command/commands.h"

namespace postern::tools {
namespace {

using config::Option;
using config::Type;

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
  fmt::print("{}", config::manual());
  return 0;
}

}  // namespace postern::tools
