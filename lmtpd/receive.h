// Receiver: takes the text of a message into the store's staging, behind our trace fields. What
// goes wrong is kept until the whole text was read, for only then may it be answered.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/net/dot_stuffing.h"
#include "lib/net/stream.h"
#include "lib/store/store.h"
#include "lmtpd/reply.h"

namespace postern::lmtp {

struct ReceiveRules {
  std::uint64_t most = 0;  // octets of text
  bool binary = false;     // BODY=BINARYMIME: line ends and NUL stay as they are
};

class Receiver {
 public:
  /// `trace_fields`: whole header fields with CRLF, put in front of the text.
  Receiver(store::Staged staged, std::string_view trace_fields, ReceiveRules rules);

  /// The text of DATA, up to its end.
  /// @error of the stream only: closed, timed_out, unavailable, io
  Result<void> read_data(net::Stream& stream);
  /// One chunk of BDAT. Errors as above.
  Result<void> read_chunk(net::Stream& stream, std::uint64_t size);

  /// Why the message can't be taken; nothing if it can.
  [[nodiscard]] const std::optional<Reply>& refusal() const { return refusal_; }
  /// The same as a line for the log.
  [[nodiscard]] const std::string& problem() const { return problem_; }

  /// Octets of text, without our trace fields.
  [[nodiscard]] std::uint64_t size() const { return size_; }
  store::Staged& staged() { return staged_; }
  /// What was received, without our trace fields. @error io
  Result<std::string_view> text();

 private:
  void take(std::string_view piece);
  void refuse(Reply reply, std::string problem);

  store::Staged staged_;
  std::size_t trace_size_;
  ReceiveRules rules_;
  net::LineEnds ends_;  // of BDAT
  std::uint64_t size_ = 0;
  std::optional<Reply> refusal_;
  std::string problem_;
};

}  // namespace postern::lmtp
