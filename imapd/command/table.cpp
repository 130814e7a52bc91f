// The table of commands: the only place that says in which state a command is legal, and whether
// expunges by others are told while it runs or held back (RFC 9051 §7.5.1).
#include "imapd/command/table.h"

#include <algorithm>
#include <array>

#include "imapd/command/commands.h"

namespace postern::imap {
namespace {

// Sorted by name.
constexpr std::array kCommands{
    Command{"APPEND", In::authenticated, Expunges::tell, run<Append>, &Append::literal},
    Command{"AUTHENTICATE", In::not_authenticated, Expunges::tell, run<Authenticate>},
    Command{"CAPABILITY", In::any, Expunges::tell, run<Capability>},
    Command{"CHECK", In::selected, Expunges::tell, run<Noop>},
    Command{"CLOSE", In::selected, Expunges::tell, run<Close>},
    Command{"COMPRESS", In::authenticated, Expunges::tell, run<Compress>},
    Command{"COPY", In::selected, Expunges::tell, run<Copy>},
    Command{"CREATE", In::authenticated, Expunges::tell, run<Create>},
    Command{"DELETE", In::authenticated, Expunges::tell, run<Delete>},
    Command{"DELETEACL", In::authenticated, Expunges::tell, run<DeleteAcl>},
    Command{"ENABLE", In::authenticated, Expunges::tell, run<Enable>},
    Command{"EXAMINE", In::authenticated, Expunges::tell, run<Examine>},
    Command{"EXPUNGE", In::selected, Expunges::tell, run<Expunge>},
    Command{"FETCH", In::selected, Expunges::hold, run<Fetch>},
    Command{"GETACL", In::authenticated, Expunges::tell, run<GetAcl>},
    Command{"GETMETADATA", In::authenticated, Expunges::tell, run<GetMetadata>},
    Command{"GETQUOTA", In::authenticated, Expunges::tell, run<GetQuota>},
    Command{"GETQUOTAROOT", In::authenticated, Expunges::tell, run<GetQuotaRoot>},
    Command{"ID", In::any, Expunges::tell, run<Id>},
    Command{"IDLE", In::authenticated, Expunges::tell, run<Idle>},
    Command{"LIST", In::authenticated, Expunges::tell, run<List>},
    Command{"LISTRIGHTS", In::authenticated, Expunges::tell, run<ListRights>},
    Command{"LOGIN", In::not_authenticated, Expunges::tell, run<Login>},
    Command{"LOGOUT", In::any, Expunges::tell, run<Logout>},
    Command{"LSUB", In::authenticated, Expunges::tell, run<Lsub>},
    Command{"MOVE", In::selected, Expunges::tell, run<Move>},
    Command{"MYRIGHTS", In::authenticated, Expunges::tell, run<MyRights>},
    Command{"NAMESPACE", In::authenticated, Expunges::tell, run<Namespace>},
    Command{"NOOP", In::any, Expunges::tell, run<Noop>},
    Command{"RENAME", In::authenticated, Expunges::tell, run<Rename>},
    Command{"SEARCH", In::selected, Expunges::hold, run<Search>},
    Command{"SELECT", In::authenticated, Expunges::tell, run<Select>},
    Command{"SETACL", In::authenticated, Expunges::tell, run<SetAcl>},
    Command{"SETMETADATA", In::authenticated, Expunges::tell, run<SetMetadata>},
    Command{"SETQUOTA", In::authenticated, Expunges::tell, run<SetQuota>},
    Command{"STARTTLS", In::not_authenticated, Expunges::tell, run<StartTls>},
    Command{"STATUS", In::authenticated, Expunges::tell, run<Status>},
    Command{"STORE", In::selected, Expunges::hold, run<StoreFlags>},
    Command{"SUBSCRIBE", In::authenticated, Expunges::tell, run<Subscribe>},
    Command{"UID COPY", In::selected, Expunges::tell, run<Copy, Form::uid>},
    Command{"UID EXPUNGE", In::selected, Expunges::tell, run<Expunge, Form::uid>},
    Command{"UID FETCH", In::selected, Expunges::tell, run<Fetch, Form::uid>},
    Command{"UID MOVE", In::selected, Expunges::tell, run<Move, Form::uid>},
    Command{"UID SEARCH", In::selected, Expunges::tell, run<Search, Form::uid>},
    Command{"UID STORE", In::selected, Expunges::tell, run<StoreFlags, Form::uid>},
    Command{"UNSELECT", In::selected, Expunges::tell, run<Unselect>},
    Command{"UNSUBSCRIBE", In::authenticated, Expunges::tell, run<Unsubscribe>},
};
static_assert(std::ranges::is_sorted(kCommands, {}, &Command::name));

}  // namespace

std::span<const Command> commands() { return kCommands; }

const Command* find_command(std::string_view name) {
  const auto at = std::ranges::lower_bound(kCommands, name, {}, &Command::name);
  return at != kCommands.end() && at->name == name ? &*at : nullptr;
}

}  // namespace postern::imap
