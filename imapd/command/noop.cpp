// NOOP and CHECK (RFC 9051 §6.1.2, RFC 3501 §6.4.1): changes are told as after every command; the
// store needs no checkpoint from a client.
#include "imapd/command/commands.h"

namespace postern::imap {

void Noop::respond(const Nothing&, Context&) {}

}  // namespace postern::imap
