// Framer: see framer.h.
#include "imapd/framer.h"

namespace postern::imap {
namespace {

class Frame {
 public:
  Frame(net::Stream& stream, const FrameLimits& limits, const LiteralPolicy& policy)
      : stream_(stream), limits_(limits), policy_(policy) {}

  Result<Framed> read() {
    while (true) {
      TRY(read_text());
      const auto head = literal_head_at_end(tail());
      if (!head) return std::move(framed_);
      const bool more = TRY(read_literal(*head));
      if (!more) return std::move(framed_);
    }
  }

 private:
  // One line is added to the text, or dropped when it doesn't fit or the command is lost anyway;
  // then only its end is looked at, for the head of a literal.
  Result<void> read_text() {
    line_start_ = framed_.text.size();
    dropped_tail_.clear();
    const std::size_t room = limits_.text - std::min(limits_.text, framed_.text.size());
    const auto line = stream_.read_line(room);
    if (!line && line.error().code == Errc::too_big) return skip_long_line();
    if (!line) return line.error();
    if (framed_.refused)
      dropped_tail_ =
          line->text.substr(line->text.size() - std::min<std::size_t>(line->text.size(), 64));
    else
      framed_.text.append(line->text);
    return {};
  }

  Result<void> skip_long_line() {
    const std::string_view start = stream_.buffered();
    if (framed_.text.empty())
      framed_.text = start.substr(0, std::min<std::size_t>(start.size(), 256));
    if (!framed_.refused)
      framed_.refused = fail(Errc::too_big, "a command has at most {} octets", limits_.text);
    line_start_ = framed_.text.size();
    return stream_.skip_line();
  }

  [[nodiscard]] std::string_view tail() const {
    if (framed_.refused) return dropped_tail_;
    return std::string_view(framed_.text).substr(line_start_);
  }

  // Gives whether the command goes on behind the literal.
  Result<bool> read_literal(const LiteralHead& head) {
    LiteralVerdict verdict = judge(head);
    if (verdict.kind == LiteralVerdict::Kind::refuse) {
      if (!framed_.refused) framed_.refused = std::move(verdict.refusal);
      return drop(head);
    }
    // RFC 7888 §4: for the others nobody waits.
    if (head.synchronizing) stream_.write("+ Ready for the literal\r\n");
    const std::size_t at = framed_.text.rfind('{') - (head.binary ? 1 : 0);
    framed_.text += "\r\n";
    if (verdict.kind == LiteralVerdict::Kind::hold) {
      framed_.held.push_back(at);
      return hold(head, verdict.sink);
    }
    framed_.text += TRY(stream_.read_exactly(static_cast<std::size_t>(head.size)));
    return true;
  }

  // A sink that fails (disk full) refuses the command, and the rest of the octets is dropped.
  Result<bool> hold(const LiteralHead& head, const net::Sink& sink) {
    const net::Sink guarded = [this, &sink](std::string_view bytes) -> Result<void> {
      if (framed_.refused) return {};
      if (auto taken = sink(bytes); !taken) framed_.refused = std::move(taken).error();
      return {};
    };
    TRY(stream_.read_exactly(head.size, guarded));
    return true;
  }

  LiteralVerdict judge(const LiteralHead& head) {
    if (framed_.refused) return {LiteralVerdict::Kind::refuse, {}, {}};
    LiteralVerdict verdict = policy_(framed_.text, head);
    const bool fits = head.size <= limits_.text - std::min(limits_.text, framed_.text.size());
    if (verdict.kind == LiteralVerdict::Kind::inline_ && !fits)
      return {LiteralVerdict::Kind::refuse,
              {},
              fail(Errc::too_big, "a command has at most {} octets", limits_.text)};
    return verdict;
  }

  // Without a "+" a client that waits for it sends nothing more of this command (RFC 9051 §4.3).
  Result<bool> drop(const LiteralHead& head) {
    if (head.synchronizing) return false;
    dropped_ += head.size;
    if (head.size > limits_.swallow || dropped_ > limits_.swallow)
      return fail(Errc::limit, "a refused literal has {} octets", head.size);
    TRY(stream_.skip(head.size));
    return true;
  }

  net::Stream& stream_;
  const FrameLimits& limits_;
  const LiteralPolicy& policy_;
  Framed framed_;
  std::size_t line_start_ = 0;
  std::string dropped_tail_;
  std::uint64_t dropped_ = 0;
};

}  // namespace

Result<Framed> read_command(net::Stream& stream, const FrameLimits& limits,
                            const LiteralPolicy& policy) {
  return Frame(stream, limits, policy).read();
}

}  // namespace postern::imap
