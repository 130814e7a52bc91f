#include "lib/base/result.h"

#include <cstring>

namespace postern {

std::string_view name_of(Errc code) {
  switch (code) {
    case Errc::bad_syntax:
      return "bad_syntax";
    case Errc::not_supported:
      return "not_supported";
    case Errc::no_such_mailbox:
      return "no_such_mailbox";
    case Errc::mailbox_exists:
      return "mailbox_exists";
    case Errc::mailbox_deleted:
      return "mailbox_deleted";
    case Errc::has_children:
      return "has_children";
    case Errc::no_such_user:
      return "no_such_user";
    case Errc::no_such_object:
      return "no_such_object";
    case Errc::no_permission:
      return "no_permission";
    case Errc::auth_failed:
      return "auth_failed";
    case Errc::privacy_required:
      return "privacy_required";
    case Errc::over_quota:
      return "over_quota";
    case Errc::limit:
      return "limit";
    case Errc::too_big:
      return "too_big";
    case Errc::in_use:
      return "in_use";
    case Errc::unavailable:
      return "unavailable";
    case Errc::corrupt:
      return "corrupt";
    case Errc::expunged:
      return "expunged";
    case Errc::conflict:
      return "conflict";
    case Errc::closed:
      return "closed";
    case Errc::timed_out:
      return "timed_out";
    case Errc::io:
      return "io";
  }
  return "unknown";
}

Error errno_error(std::string_view operation, std::string_view object, int err) {
  const char* name = strerrorname_np(err);
  return Error{Errc::io, fmt::format("{} {}: {}", operation, object, name ? name : "errno?")};
}

}  // namespace postern
