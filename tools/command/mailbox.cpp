// postern mailbox list, postern mailbox path.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tools/command/commands.h"

namespace postern::tools {
namespace {

std::string readable(const meta::Acl& acl) {
  std::string out;
  for (const auto& line : acl.entries())
    out +=
        fmt::format("{}{} {}", out.empty() ? "" : ", ", line.identifier, line.rights.text(false));
  return out;
}

void print(const meta::MailboxEntry& entry, bool with_acl, bool json) {
  if (!json) {
    fmt::print("{}{}{}{}\n", entry.name.text(), entry.special_use.empty() ? "" : "  ",
               entry.special_use, with_acl ? "  (" + readable(entry.acl) + ")" : "");
    return;
  }
  nlohmann::json row{{"name", entry.name.text()},        {"id", entry.id.hex()},
                     {"partition", entry.partition},     {"uidvalidity", entry.uidvalidity.value()},
                     {"special_use", entry.special_use}, {"version", entry.version},
                     {"created", entry.created}};
  for (const auto& line : entry.acl.entries())
    row["acl"][line.identifier] = line.rights.text(false);
  fmt::print("{}\n", row.dump());
}

}  // namespace

Result<int> mailbox_list(const Arguments& arguments, Context& context) {
  meta::Meta* const meta = TRY(context.meta());
  for (const auto& entry : TRY(find_mailboxes(*meta, arguments.list("mailbox"), true)))
    print(entry, arguments.has("--acl"), arguments.has("--json"));
  return 0;
}

Result<int> mailbox_path(const Arguments& arguments, Context& context) {
  meta::Meta* const meta = TRY(context.meta());
  for (const auto& entry : TRY(find_mailboxes(*meta, arguments.list("mailbox"), false))) {
    const std::string id = entry.id.hex();
    const auto partition = context.config().text("partition." + entry.partition + ".path");
    fmt::print("{}/{}/{}\n", partition, id.substr(0, 2), id);
  }
  return 0;
}

}  // namespace postern::tools
