// STARTTLS (RFC 3207), over TCP.
#include "lmtpd/command/table.h"

namespace postern::lmtp {

// What was pipelined behind it could be an attacker's, so it ends the session. After the handshake
// the client says LHLO again (RFC 3207 §4.2).
Flow run_starttls(Session& session, std::string_view argument) {
  if (!session.offers_tls())
    return session.mistake(session.facts.tls ? Reply{503, "5.5.1", "TLS is on already"}
                                             : Reply{502, "5.5.1", "TLS is not offered here"});
  if (!argument.empty()) return session.mistake({501, "5.5.4", "STARTTLS takes no argument"});
  if (session.stream.more_input_buffered())
    return session.end({421, "4.7.0", "Nothing may follow STARTTLS"}, "input behind STARTTLS");
  if (const auto flushed = session.stream.flush(); !flushed) return session.broken(flushed.error());
  service::Outcome out;
  out.kind = service::Outcome::Kind::start_tls;
  out.start_tls.ok_line = Reply{220, "2.0.0", "Begin the TLS handshake"}.line();
  return out;
}

}  // namespace postern::lmtp
