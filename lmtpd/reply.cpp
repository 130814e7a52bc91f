// What LMTP says about each kind of error (RFC 5321 §4.2, RFC 3463). There is no default: a new
// Errc does not compile until it has an answer.
#include "lmtpd/reply.h"

#include <fmt/format.h>

#include "lib/base/text.h"

namespace postern::lmtp {
namespace {

const Reply kTryAgain{451, "4.3.0", "Not possible now, try again later"};

}  // namespace

std::string Reply::line() const {
  std::string out;
  const auto lines = split(text, '\n');
  for (std::size_t i = 0; i < lines.size(); ++i)
    out += fmt::format("{}{}{} {}\r\n", code, i + 1 < lines.size() ? '-' : ' ', status, lines[i]);
  return out;
}

Reply recipient_reply(Errc code, bool over_quota_permanent) {
  switch (code) {
    case Errc::no_such_user:
      return {550, "5.1.1", "Unknown user"};
    case Errc::no_such_mailbox:
      return {550, "5.1.1", "No such mailbox"};
    case Errc::bad_syntax:
      return {553, "5.1.3", "Bad address"};
    case Errc::no_permission:
      return {550, "5.7.1", "Posting to this mailbox is not permitted"};
    case Errc::over_quota:
      if (over_quota_permanent) return {552, "5.2.2", "Mailbox is full"};
      return {452, "4.2.2", "Mailbox is full"};
    case Errc::too_big:
      return {552, "5.3.4", "Message is too big"};
    case Errc::limit:
      return {452, "4.5.3", "A limit of this server was reached, try again later"};
    case Errc::unavailable:
    case Errc::timed_out:
      return {451, "4.3.2", "Not available now, try again later"};
    case Errc::in_use:
    case Errc::mailbox_deleted:
    case Errc::conflict:
      return {451, "4.2.0", "Mailbox is busy, try again later"};
    case Errc::corrupt:
      return {451, "4.2.0", "Mailbox needs repair, try again later"};
    case Errc::not_supported:
    case Errc::mailbox_exists:
    case Errc::has_children:
    case Errc::no_such_object:
    case Errc::auth_failed:
    case Errc::privacy_required:
    case Errc::expunged:
    case Errc::closed:
    case Errc::io:
      return kTryAgain;
  }
  return kTryAgain;
}

Reply transaction_reply(Errc code) {
  switch (code) {
    case Errc::bad_syntax:
      return {501, "5.5.4", "Bad syntax in the argument"};
    case Errc::too_big:
      return {552, "5.3.4", "Message is too big"};
    case Errc::not_supported:
      return {504, "5.5.4", "Not supported"};
    case Errc::auth_failed:
      return {535, "5.7.8", "Authentication failed"};
    case Errc::privacy_required:
      return {538, "5.7.11", "Not without encryption"};
    case Errc::no_permission:
      return {535, "5.7.8", "Not authorised"};
    case Errc::limit:
      return {452, "4.5.3", "A limit of this server was reached, try again later"};
    case Errc::unavailable:
    case Errc::timed_out:
      return {451, "4.3.2", "Not available now, try again later"};
    case Errc::no_such_mailbox:
    case Errc::mailbox_exists:
    case Errc::mailbox_deleted:
    case Errc::has_children:
    case Errc::no_such_user:
    case Errc::no_such_object:
    case Errc::over_quota:
    case Errc::in_use:
    case Errc::corrupt:
    case Errc::expunged:
    case Errc::conflict:
    case Errc::closed:
    case Errc::io:
      return kTryAgain;
  }
  return kTryAgain;
}

}  // namespace postern::lmtp
