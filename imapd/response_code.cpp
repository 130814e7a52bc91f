// What IMAP says about each kind of error (RFC 5530 §3). There is no default: a new Errc does not
// compile until each protocol has an answer.
#include "imapd/response_code.h"

namespace postern::imap {

std::string_view response_code(Errc code) {
  switch (code) {
    case Errc::bad_syntax:
      return {};  // answered with BAD, which needs no code
    case Errc::not_supported:
      return "CANNOT";
    case Errc::no_such_mailbox:
      return "NONEXISTENT";  // also without the right l: RFC 4314 §6
    case Errc::mailbox_exists:
      return "ALREADYEXISTS";
    case Errc::mailbox_deleted:
      return "NONEXISTENT";
    case Errc::has_children:
      return "HASCHILDREN";
    case Errc::no_such_user:
      return "NONEXISTENT";
    case Errc::no_such_object:
      return "NONEXISTENT";
    case Errc::no_permission:
      return "NOPERM";
    case Errc::auth_failed:
      return "AUTHENTICATIONFAILED";
    case Errc::privacy_required:
      return "PRIVACYREQUIRED";
    case Errc::over_quota:
      return "OVERQUOTA";
    case Errc::limit:
      return "LIMIT";
    case Errc::too_big:
      return "TOOBIG";
    case Errc::in_use:
      return "INUSE";
    case Errc::unavailable:
      return "UNAVAILABLE";
    case Errc::corrupt:
      return "CORRUPTION";
    case Errc::expunged:
      return "EXPUNGEISSUED";
    case Errc::conflict:
      return {};
    case Errc::closed:
      return {};
    case Errc::timed_out:
      return "UNAVAILABLE";
    case Errc::io:
      return "UNAVAILABLE";
  }
  return {};
}

std::string_view sentence(Errc code) {
  switch (code) {
    case Errc::bad_syntax:
      return "The command does not follow its grammar";
    case Errc::not_supported:
      return "The server does not do this";
    case Errc::no_such_mailbox:
      return "There is no such mailbox";
    case Errc::mailbox_exists:
      return "A mailbox with this name exists";
    case Errc::mailbox_deleted:
      return "The mailbox was deleted";
    case Errc::has_children:
      return "The mailbox has inferiors";
    case Errc::no_such_user:
      return "There is no such user";
    case Errc::no_such_object:
      return "There is nothing by this name";
    case Errc::no_permission:
      return "Your rights do not allow this";
    case Errc::auth_failed:
      return "Authentication failed";
    case Errc::privacy_required:
      return "This needs an encrypted connection";
    case Errc::over_quota:
      return "This would pass a quota";
    case Errc::limit:
      return "A limit of the server was reached";
    case Errc::too_big:
      return "Too big";
    case Errc::in_use:
      return "The mailbox is in use, try again";
    case Errc::unavailable:
      return "A part of the server does not answer, try again";
    case Errc::corrupt:
      return "Stored data is damaged; the administrator was told";
    case Errc::expunged:
      return "Some messages were expunged meanwhile";
    case Errc::conflict:
      return "Someone else has changed this meanwhile";
    case Errc::closed:
      return "The connection is closed";
    case Errc::timed_out:
      return "It took too long, try again";
    case Errc::io:
      return "The server has a storage problem; the administrator was told";
  }
  return "Failed";
}

}  // namespace postern::imap
