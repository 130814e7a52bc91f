// RSET (RFC 5321 §4.1.1.5)
#include "lmtpd/command/table.h"

namespace postern::lmtp {

Flow run_rset(Session& session, std::string_view argument) {
  if (!argument.empty()) return session.mistake({501, "5.5.4", "RSET has no argument"});
  session.txn.reset();
  session.say({250, "2.0.0", "Ok"});
  return std::nullopt;
}

}  // namespace postern::lmtp
