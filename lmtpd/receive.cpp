#include "lmtpd/receive.h"

#include "lib/base/result.h"

namespace postern::lmtp {
namespace {

const Reply kBareDot{554, "5.6.0", "A line of a single dot with a bare LF or CR is not allowed"};
const Reply kNul{554, "5.6.0", "NUL is allowed with BODY=BINARYMIME only"};

}  // namespace

Receiver::Receiver(store::Staged staged, std::string_view trace_fields, ReceiveRules rules)
    : staged_(std::move(staged)), trace_size_(trace_fields.size()), rules_(rules) {
  if (const auto added = staged_.add(trace_fields); !added)
    refuse(recipient_reply(added.error().code, false), added.error().text);
}

/// The first reason counts.
void Receiver::refuse(Reply reply, std::string problem) {
  if (refusal_) return;
  refusal_ = std::move(reply);
  problem_ = std::move(problem);
}

void Receiver::take(std::string_view piece) {
  size_ += piece.size();
  if (size_ > rules_.most) refuse(recipient_reply(Errc::too_big, false), "message over the limit");
  if (refusal_) return;  // the rest is read and dropped
  if (const auto added = staged_.add(piece); !added)
    refuse(recipient_reply(added.error().code, false), added.error().text);
}

Result<void> Receiver::read_data(net::Stream& stream) {
  const net::Sink sink = [this](std::string_view piece) -> Result<void> {
    take(piece);
    return {};
  };
  net::DotUnstuffer dots;
  while (!dots.finished()) {
    if (!stream.more_input_buffered()) TRY(stream.fill());
    stream.consume(TRY(dots.feed(stream.buffered(), sink)));
  }
  if (dots.saw_false_end()) refuse(kBareDot, "false end of text");
  if (dots.saw_nul()) refuse(kNul, "NUL in the text");
  return {};
}

Result<void> Receiver::read_chunk(net::Stream& stream, std::uint64_t size) {
  const net::Sink store = [this](std::string_view piece) -> Result<void> {
    take(piece);
    return {};
  };
  TRY(stream.read_exactly(size, [&](std::string_view piece) -> Result<void> {
    return rules_.binary ? store(piece) : ends_.feed(piece, store);
  }));
  if (ends_.saw_nul()) refuse(kNul, "NUL in the text");
  return {};
}

Result<std::string_view> Receiver::text() {
  const std::string_view whole = TRY(staged_.bytes());
  return whole.substr(trace_size_);
}

}  // namespace postern::lmtp
