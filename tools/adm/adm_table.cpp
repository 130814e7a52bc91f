// The commands of posternadm: cyradm's words and aliases.
#include <algorithm>
#include <array>

#include "lib/base/text.h"
#include "tools/adm/commands.h"

namespace postern::tools {
namespace {

constexpr std::size_t kMany = 1000;

constexpr std::array kCommands{
    AdmCommand{"authenticate", "auth login", "USER", "Log in; asks for the password", 1, 1,
               adm::authenticate},
    AdmCommand{"createmailbox", "create cm", "[--specialuse USE] MAILBOX",
               "Create a mailbox: user/anna, user/anna/Box@domain, news", 1, 3,
               adm::create_mailbox},
    AdmCommand{"deleteaclmailbox", "deleteacl dam", "MAILBOX ID [ID...]",
               "Remove identifiers from an access control list", 2, kMany, adm::delete_acl},
    AdmCommand{"deletemailbox", "delete dm", "MAILBOX", "Delete a mailbox", 1, 1,
               adm::delete_mailbox},
    AdmCommand{"disconnect", "disc", "", "Leave the server, stay in the shell", 0, 0,
               adm::disconnect},
    AdmCommand{"exit", "quit", "[STATUS]", "Leave the shell", 0, 1, adm::quit},
    AdmCommand{"getmetadata", "getmd", "MAILBOX [ANNOTATION...]",
               "Show annotations of a mailbox, or with the name server of the server", 1, kMany,
               adm::get_metadata},
    AdmCommand{"help", "?", "[COMMAND]", "What commands there are, or how one is used", 0, 1,
               adm::help},
    AdmCommand{"info", "", "MAILBOX", "Size, counts, numbers and annotations of a mailbox", 1, 1,
               adm::info},
    AdmCommand{"listaclmailbox", "listacl lam", "MAILBOX", "Show access control lists", 1, 1,
               adm::list_acl},
    AdmCommand{"listmailbox", "list lm", "[-subscribed] [-specialuse] [PATTERN [BASE]]",
               "List mailboxes; * and % are wildcards", 0, 4, adm::list_mailbox},
    AdmCommand{"listquota", "lq", "ROOT", "Show usage and limits of a quota root", 1, 1,
               adm::list_quota},
    AdmCommand{"listquotaroot", "lqr lqm", "MAILBOX", "Show the quota roots of a mailbox", 1, 1,
               adm::list_quota_root},
    AdmCommand{"reconstruct", "", "MAILBOX", "Runs on the server's host: postern reconstruct", 1, 2,
               adm::reconstruct},
    AdmCommand{"renamemailbox", "rename renm", "OLD NEW", "Rename a mailbox and its inferiors", 2,
               2, adm::rename_mailbox},
    AdmCommand{"server", "servername connect", "HOST[:PORT]", "Connect to another server", 1, 1,
               adm::connect},
    AdmCommand{"setaclmailbox", "setacl sam", "MAILBOX ID RIGHTS [ID RIGHTS...]",
               "Rights as letters, +letters, -letters, or none read post append write delete all",
               3, kMany, adm::set_acl},
    AdmCommand{"setmetadata", "setmd mboxconfig mboxcfg",
               "[--private] MAILBOX comment|script|/ANNOTATION VALUE",
               "Set an annotation of a mailbox or of the server; none removes it", 3, 4,
               adm::set_metadata},
    AdmCommand{"setquota", "sq", "ROOT [RESOURCE] LIMIT [RESOURCE LIMIT...]",
               "STORAGE MESSAGE MAILBOX ANNOTATION-STORAGE; storage in KiB or with K M G; none "
               "removes all",
               2, kMany, adm::set_quota},
    AdmCommand{"subscribe", "sub", "MAILBOX", "Subscribe this administrator", 1, 1, adm::subscribe},
    AdmCommand{"unsubscribe", "unsub", "MAILBOX", "Unsubscribe this administrator", 1, 1,
               adm::unsubscribe},
    AdmCommand{"version", "ver", "", "What the server says of itself", 0, 0, adm::version},
};

}  // namespace

std::span<const AdmCommand> adm_commands() { return kCommands; }

const AdmCommand* find_adm_command(std::string_view word) {
  for (const auto& command : kCommands) {
    const auto aliases = split(command.aliases, ' ');
    const bool known = std::ranges::find(aliases, word) != aliases.end();
    if (!word.empty() && (command.name == word || known)) return &command;
  }
  return nullptr;
}

}  // namespace postern::tools
