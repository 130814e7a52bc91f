// IDLE (RFC 2177). The rest of it is the session's: it parks with a watch on the mailbox, is woken
// by changes and by the client's DONE.
#include "imapd/command/commands.h"

namespace postern::imap {

Completion Idle::respond(const Nothing&, Context& ctx) {
  ctx.out.write("+ idling\r\n");
  ctx.conn.idle_tag = ctx.tag;
  return {Completion::Kind::idle, {}, {}};
}

}  // namespace postern::imap
