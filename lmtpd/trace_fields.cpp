#include "lmtpd/trace_fields.h"

#include <fmt/format.h>

#include <ctime>

#include "lib/mime/date_time.h"

namespace postern::lmtp {
namespace {

/// RFC 3848, RFC 6531 §4.3
std::string with_protocol(const TraceFacts& facts) {
  return fmt::format("{}LMTP{}{}", facts.smtputf8 ? "UTF8" : "", facts.tls ? "S" : "",
                     facts.authenticated ? "A" : "");
}

/// In this host's zone, as logs are.
std::string local_date(std::int64_t now) {
  const std::time_t seconds = now;
  std::tm tm{};
  localtime_r(&seconds, &tm);
  return mime::format_date_time({now, static_cast<std::int16_t>(tm.tm_gmtoff / 60), true});
}

}  // namespace

std::string trace_fields(const TraceFacts& facts) {
  std::string out = fmt::format("Return-Path: <{}>\r\n", facts.return_path);
  if (!facts.recipient.empty()) out += fmt::format("Delivered-To: {}\r\n", facts.recipient);
  const std::string peer = facts.peer.empty() ? ""
                           : facts.peer.find(':') != std::string::npos
                               ? fmt::format(" ([IPv6:{}])", facts.peer)
                               : fmt::format(" ([{}])", facts.peer);
  out += fmt::format("Received: from {}{}\r\n\tby {} (Postern) with {} id {}", facts.client, peer,
                     facts.host, with_protocol(facts), facts.id);
  if (!facts.recipient.empty()) out += fmt::format("\r\n\tfor <{}>", facts.recipient);
  out += fmt::format(";\r\n\t{}\r\n", local_date(facts.now));
  return out;
}

}  // namespace postern::lmtp
