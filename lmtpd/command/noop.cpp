// NOOP (RFC 5321 §4.1.1.9) and HELP (RFC 5321 §4.1.1.8)
#include "lmtpd/command/table.h"

namespace postern::lmtp {

Flow run_noop(Session& session, std::string_view) {
  session.say({250, "2.0.0", "Ok"});
  return std::nullopt;
}

Flow run_help(Session& session, std::string_view) {
  session.say({214, "2.0.0", "LHLO MAIL RCPT DATA BDAT RSET NOOP VRFY QUIT (RFC 2033)"});
  return std::nullopt;
}

}  // namespace postern::lmtp
