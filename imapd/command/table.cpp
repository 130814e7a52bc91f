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
    Command{"CAPABILITY", In::any, Expunges::tell, run<Capability>},
    Command{"CHECK", In::selected, Expunges::tell, run<Noop>},
    Command{"ENABLE", In::authenticated, Expunges::tell, run<Enable>},
    Command{"ID", In::any, Expunges::tell, run<Id>},
    Command{"LOGOUT", In::any, Expunges::tell, run<Logout>},
    Command{"NOOP", In::any, Expunges::tell, run<Noop>},
};
static_assert(std::ranges::is_sorted(kCommands, {}, &Command::name));

}  // namespace

std::span<const Command> commands() { return kCommands; }

const Command* find_command(std::string_view name) {
  const auto at = std::ranges::lower_bound(kCommands, name, {}, &Command::name);
  return at != kCommands.end() && at->name == name ? &*at : nullptr;
}

}  // namespace postern::imap
