// The message text of DATA: transparency dots taken out, line ends made CRLF, the end found
// (RFC 5321 §4.5.2). What the text does wrong is noted, not fatal: the whole text must be read
// before it can be refused.
#pragma once

#include <cstddef>
#include <string_view>

#include "lib/base/result.h"
#include "lib/net/stream.h"

namespace postern::net {

/// Makes every bare LF CRLF and watches for NUL; used for DATA and for BDAT without BINARYMIME.
class LineEnds {
 public:
  /// Gives `bytes` with CRLF line ends to `sink`; pieces may be cut anywhere.
  Result<void> feed(std::string_view bytes, const Sink& sink);
  [[nodiscard]] bool saw_bare_lf() const { return saw_bare_lf_; }
  [[nodiscard]] bool saw_nul() const { return saw_nul_; }

 private:
  bool after_cr_ = false;  // the last octet was CR
  bool saw_bare_lf_ = false;
  bool saw_nul_ = false;
};

class DotUnstuffer {
 public:
  /// Takes octets up to the end of the text at most and gives the text to `sink`: CRLF at each
  /// line end, without the dots that the client added. Pieces may be cut anywhere.
  /// @return how many octets were taken; all of them unless finished()
  Result<std::size_t> feed(std::string_view bytes, const Sink& sink);
  /// CRLF "." CRLF was seen: nothing else ends the text.
  [[nodiscard]] bool finished() const { return state_ == State::finished; }
  /// There was a line of a single dot with a bare LF or CR on one side. Some relays take that for
  /// the end of the text, so a second message may hide behind it (SMTP smuggling): refuse.
  [[nodiscard]] bool saw_false_end() const { return saw_false_end_; }
  [[nodiscard]] bool saw_nul() const { return ends_.saw_nul(); }
  [[nodiscard]] bool saw_bare_lf() const { return ends_.saw_bare_lf(); }

 private:
  enum class State {
    line_start,  // behind CRLF, or at the very beginning
    dot,         // a first dot at line_start, not given on yet
    dot_cr,      // behind it a CR, not given on yet
    text,        // inside a line
    text_cr,     // behind a CR inside a line
    odd_start,   // behind a bare LF or CR
    odd_dot,     // behind that a dot
    finished,
  };
  void step(char c);

  State state_ = State::line_start;
  LineEnds ends_;
  bool saw_false_end_ = false;
};

}  // namespace postern::net
