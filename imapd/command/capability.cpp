// CAPABILITY (RFC 9051 §6.1.1).
#include "imapd/capability.h"

#include "imapd/command/commands.h"

namespace postern::imap {

void Capability::respond(const Nothing&, Context& ctx) {
  ctx.out.untagged("CAPABILITY ", capabilities(ctx));
}

}  // namespace postern::imap
