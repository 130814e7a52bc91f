// LOGOUT (RFC 9051 §6.1.3).
#include "imapd/command/commands.h"

namespace postern::imap {

Completion Logout::respond(const Nothing&, Context&) { return {Completion::Kind::logout, {}, {}}; }

}  // namespace postern::imap
