// VRFY (RFC 5321 §3.5.3): names are told to RCPT only, so the answer is always "perhaps".
#include "lmtpd/command/table.h"

namespace postern::lmtp {

Flow run_vrfy(Session& session, std::string_view argument) {
  if (argument.empty()) return session.mistake({501, "5.5.4", "VRFY needs a name"});
  session.say({252, "2.5.0", "Can't say; RCPT knows"});
  return std::nullopt;
}

}  // namespace postern::lmtp
