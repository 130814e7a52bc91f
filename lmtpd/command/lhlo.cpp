// LHLO (RFC 2033 §4.1), and its SMTP relatives, which LMTP must refuse.
#include "lmtpd/command/table.h"

#include <fmt/format.h>

#include "lib/service/login.h"

namespace postern::lmtp {
namespace {

/// "AUTH PLAIN SCRAM-SHA-256", or nothing where AUTH isn't offered (RFC 4954 §3).
std::string auth_line(const Session& session) {
  if (!session.offers_auth()) return {};
  const auto channel = service::channel_of(session.facts, "lmtp");
  std::string line = "250-AUTH";
  for (const auto& name : session.back.auth.mechanisms(channel)) line += ' ' + name;
  return line + "\r\n";
}

}  // namespace

Flow run_lhlo(Session& session, std::string_view argument) {
  auto name = parse_lhlo_name(argument);
  if (!name) return session.mistake({501, "5.5.4", "LHLO needs the name of the client"});
  session.txn.reset();  // RFC 5321 §4.1.4: like RSET
  session.conn.lhlo_name = std::move(*name);
  // RFC 2034 §4: no enhanced status code in this reply.
  session.stream.write(fmt::format(
      "250-{}\r\n250-8BITMIME\r\n250-BINARYMIME\r\n250-CHUNKING\r\n250-DSN\r\n"
      "250-ENHANCEDSTATUSCODES\r\n250-PIPELINING\r\n{}250-SIZE {}\r\n{}250 SMTPUTF8\r\n",
      session.back.options.hostname, auth_line(session), session.back.options.max_message,
      session.offers_tls() ? "250-STARTTLS\r\n" : ""));
  return std::nullopt;
}

Flow run_smtp_hello(Session& session, std::string_view) {
  return session.mistake({500, "5.5.1", "This is LMTP: say LHLO"});
}

}  // namespace postern::lmtp
