// The mail that scripts send, as octets with CRLF line ends: redirected messages, vacation replies
// (RFC 5230 §5), notifications (RFC 5436 §2.3) and refusals (RFC 5429 §2.2.1).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sieve/action.h"
#include "sieve/mailto.h"

namespace postern::site {

/// What all of them say of this server and its user.
struct MailFacts {
  std::string user_address;  // whose script it is, with a domain
  std::string hostname;
  std::int64_t now = 0;  // seconds UTC
};

/// `message` as the script had it, without its Return-Path (RFC 5321 §4.4), and marked against
/// loops.
std::string redirected_mail(std::string_view message, std::string_view recipient);
std::string vacation_mail(const sieve::Vacation& reply, const MailFacts& facts);

std::string notification_mail(const sieve::Notify& notify, const sieve::Mailto& mailto,
                              const MailFacts& facts);

/// A message disposition notification with the reason in full (RFC 8098).
std::string refusal_mail(std::string_view reason, std::string_view sender, std::string_view message,
                         const MailFacts& facts);

}  // namespace postern::site
