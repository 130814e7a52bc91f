#include "pop3d/reply.h"

namespace postern::pop3d {
namespace {

// There is no default: a new Errc doesn't compile until it has an answer here.
std::string_view sentence(Errc code) {
  switch (code) {
    case Errc::bad_syntax:
      return "Bad syntax";
    case Errc::not_supported:
      return "Not supported";
    case Errc::no_such_mailbox:
      return "[SYS/PERM] No such mailbox";
    case Errc::mailbox_exists:
      return "[SYS/PERM] Mailbox exists";
    case Errc::mailbox_deleted:
      return "[SYS/PERM] Mailbox was deleted";
    case Errc::has_children:
      return "[SYS/PERM] Mailbox has inferiors";
    case Errc::no_such_user:
      return "[AUTH] Authentication failed";
    case Errc::no_such_object:
      return "No such message";
    case Errc::no_permission:
      return "[SYS/PERM] Permission denied";
    case Errc::auth_failed:
      return "[AUTH] Authentication failed";
    case Errc::privacy_required:
      return "[AUTH] Plaintext authentication needs TLS: send STLS first";
    case Errc::over_quota:
      return "[SYS/PERM] Over quota";
    case Errc::limit:
      return "[IN-USE] Too many sessions";
    case Errc::too_big:
      return "Line too long";
    case Errc::in_use:
      return "[IN-USE] Mailbox is busy, try again";
    case Errc::unavailable:
      return "[SYS/TEMP] Service is temporarily unavailable";
    case Errc::corrupt:
      return "[SYS/PERM] Message is damaged on the server";
    case Errc::expunged:
      return "Message was removed meanwhile";
    case Errc::conflict:
      return "[SYS/TEMP] Mailbox changed, log in again";
    case Errc::closed:
      return "[SYS/TEMP] Connection lost";
    case Errc::timed_out:
      return "[SYS/TEMP] Timed out";
    case Errc::io:
      return "[SYS/TEMP] Internal error, try again";
  }
  return "[SYS/TEMP] Internal error, try again";
}

}  // namespace

std::string reply_to(Errc code) { return fmt::format("-ERR {}\r\n", sentence(code)); }

}  // namespace postern::pop3d
