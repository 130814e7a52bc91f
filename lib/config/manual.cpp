#include "lib/config/manual.h"

#include <fmt/format.h>

#include "lib/config/config.h"
#include "lib/config/value.h"

namespace postern::config {
namespace {

std::string_view name_of(Type type) {
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
  return "text";
}

std::string range_of(const Option& option) {
  if (option.most == INT64_MAX && option.least == 0) return "";
  const std::string_view unit = option.type == Type::duration ? " ms"
                                : option.type == Type::size   ? " bytes"
                                                              : "";
  if (option.most == INT64_MAX) return fmt::format(" At least {}{}.", option.least, unit);
  return fmt::format(" {} to {}{}.", option.least, option.most, unit);
}

std::string_view table_of(const Option& option) {
  return option.name.substr(0, option.name.find('.'));
}

}  // namespace

std::string manual() {
  std::string out =
      "# Configuration\n\n"
      "One TOML file, `/etc/postern/postern.toml` unless `--config` names another. An option\n"
      "`a.b` is the key `b` of the table `[a]`; a `*` stands for a name of your choice. Unknown "
      "keys\n"
      "and values out of range are refused with the line and the nearest name. Durations are "
      "written\n"
      "`500ms`, `15s`, `30min`, `2h`, `7d`; sizes `512`, `64KiB`, `10MiB`, `1GiB`; a secret is "
      "the\n"
      "value itself or `file:/path`. SIGHUP to master reads the file again.\n\n"
      "This page is made from the table that the program uses: `postern config manual`.\n";
  std::string_view table;
  for (const Option& option : options()) {
    if (table_of(option) != table) {
      table = table_of(option);
      out += fmt::format("\n## {}\n\n| option | type | default | meaning |\n|---|---|---|---|\n",
                         table);
    }
    out += fmt::format("| `{}` | {} | {} | {}{} |\n", option.name, name_of(option.type),
                       option.standard.empty() ? "" : fmt::format("`{}`", option.standard),
                       option.meaning, range_of(option));
  }
  return out;
}

}  // namespace postern::config
