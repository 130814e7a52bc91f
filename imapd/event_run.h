// Runs the Sieve scripts that the events of a command call for (RFC 6785), after the command has
// done its work and before its tagged reply.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "imapd/context.h"

namespace postern::imap {

/// Notes that `uids` came into `mailbox`, if a script wants to know. `from`: see MailEvent.
void note_arrival(Context& ctx, Cause cause, const meta::MailboxEntry& mailbox,
                  const meta::MailboxName& from, std::vector<Uid> uids);

/// Notes which flags of messages of the selected mailbox a command changes: made before the change,
/// asked to note it after. Does nothing where no script wants to know.
class FlagWatch {
 public:
  FlagWatch(Context& ctx, std::span<const store::RecNo> records);
  void note();

 private:
  struct Before {
    Uid uid;
    store::Flags flags;
  };
  Context& ctx_;
  bool listens_;
  std::vector<Before> before_;
};

/// Runs what was noted, one message after the other. A script's failure is logged, costs nothing
/// and is no failure of the command.
void run_events(Context& ctx);

}  // namespace postern::imap
