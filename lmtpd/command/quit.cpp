// QUIT (RFC 5321 §4.1.1.10)
#include "lmtpd/command/table.h"

namespace postern::lmtp {

Flow run_quit(Session& session, std::string_view argument) {
  if (!argument.empty()) return session.mistake({501, "5.5.4", "QUIT has no argument"});
  return session.end({221, "2.0.0", "Bye"}, "quit");
}

}  // namespace postern::lmtp
