// BDAT (RFC 3030 §2, RFC 2033 §4.3). The octets of a chunk follow whatever the reply will be, so
// they are always read.
#include <fmt/format.h>

#include "lmtpd/command/table.h"

namespace postern::lmtp {
namespace {

/// Why the chunk isn't taken; nullptr if it is.
const char* refusal(const Session& session) {
  if (!session.txn) return "MAIL first";
  if (session.txn->failed) return "A chunk was refused: RSET";
  if (session.txn->recipients.empty()) return "No valid recipients";
  return nullptr;
}

/// More is to come: one reply, and after a refusal nothing but RSET helps.
void answer_chunk(Session& session, std::uint64_t size) {
  Transaction& txn = *session.txn;
  txn.failed = txn.text->refusal().has_value();
  session.say(txn.failed ? *txn.text->refusal()
                         : Reply{250, "2.0.0", fmt::format("{} octets received", size)});
}

}  // namespace

Flow run_bdat(Session& session, std::string_view argument) {
  const auto chunk = parse_bdat(argument);
  // What follows can't be told from commands any more.
  if (!chunk) return session.end({501, "5.5.4", "BDAT needs a size"}, "bad BDAT");
  if (const char* const why = refusal(session)) {
    if (const auto skipped = session.stream.skip(chunk->size); !skipped)
      return session.broken(skipped.error());
    return session.mistake({503, "5.5.1", why});
  }
  Transaction& txn = *session.txn;
  if (!txn.text) txn.text = session.make_receiver();
  if (const auto read = txn.text->read_chunk(session.stream, chunk->size); !read)
    return session.broken(read.error());
  if (chunk->last)
    session.finish_transaction();
  else
    answer_chunk(session, chunk->size);
  return std::nullopt;
}

}  // namespace postern::lmtp
