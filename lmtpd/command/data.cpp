// DATA (RFC 5321 §4.1.1.4); one reply for each recipient (RFC 2033 §4.2).
#include "lmtpd/command/table.h"

namespace postern::lmtp {

Flow run_data(Session& session, std::string_view argument) {
  Transaction& txn = *session.txn;
  if (!argument.empty()) return session.mistake({501, "5.5.4", "DATA has no argument"});
  // RFC 3030 §2, §3: BDAT and DATA don't mix, and binary text needs BDAT
  if (txn.text || txn.failed) return session.mistake({503, "5.5.1", "Go on with BDAT"});
  if (txn.sender.body == Body::binary)
    return session.mistake({503, "5.5.1", "BINARYMIME needs BDAT"});
  if (txn.recipients.empty()) return session.mistake({503, "5.5.1", "No valid recipients"});
  txn.text = session.make_receiver();
  session.stream.write("354 Go ahead, end with a line of a single dot\r\n");
  if (const auto read = txn.text->read_data(session.stream); !read)
    return session.broken(read.error());
  session.finish_transaction();
  return std::nullopt;
}

}  // namespace postern::lmtp
