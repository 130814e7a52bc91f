#include "lib/net/dot_stuffing.h"

#include <algorithm>

namespace postern::net {

Result<void> LineEnds::feed(std::string_view bytes, const Sink& sink) {
  saw_nul_ = saw_nul_ || bytes.find('\0') != std::string_view::npos;
  std::size_t run = 0;
  for (auto lf = bytes.find('\n'); lf != std::string_view::npos; lf = bytes.find('\n', lf + 1)) {
    if (lf > 0 ? bytes[lf - 1] == '\r' : after_cr_) continue;
    saw_bare_lf_ = true;
    if (lf > run) TRY(sink(bytes.substr(run, lf - run)));
    TRY(sink("\r\n"));
    run = lf + 1;
  }
  if (!bytes.empty()) after_cr_ = bytes.back() == '\r';
  if (run < bytes.size()) TRY(sink(bytes.substr(run)));
  return {};
}

/// One octet, everywhere but inside a line.
void DotUnstuffer::step(char c) {
  const bool line_end = c == '\r' || c == '\n';
  switch (state_) {
    case State::line_start:
      state_ = c == '.' ? State::dot : State::text;
      break;
    case State::dot:
      if (c == '\n') saw_false_end_ = true;
      state_ = c == '\r' ? State::dot_cr : State::text;
      break;
    case State::dot_cr:
      if (c == '\n') {
        state_ = State::finished;
        return;
      }
      saw_false_end_ = true;
      [[fallthrough]];
    case State::text_cr:
      state_ = c == '\n' ? State::line_start : State::odd_start;
      if (c != '\n') step(c);
      return;
    case State::odd_start:
      state_ = c == '.' ? State::odd_dot : State::text;
      break;
    case State::odd_dot:
      if (line_end) saw_false_end_ = true;
      state_ = State::text;
      break;
    case State::text:
    case State::finished:
      break;
  }
  if (state_ != State::text) return;
  if (c == '\r') state_ = State::text_cr;
  if (c == '\n') state_ = State::odd_start;
}

Result<std::size_t> DotUnstuffer::feed(std::string_view bytes, const Sink& sink) {
  std::size_t run = 0;  // what is before it was given on or is dropped
  std::size_t at = 0;
  std::size_t cr = 0;  // the next CR at or behind `at`, once it was looked for
  while (at < bytes.size() && state_ != State::finished) {
    if (state_ == State::text) {
      if (cr < at || at == 0) cr = std::min(bytes.find('\r', at), bytes.size());
      at += std::min(bytes.substr(at, cr - at).find('\n'), cr - at);
      if (at == bytes.size()) break;
    }
    const State before = state_;
    step(bytes[at]);
    if (state_ == State::dot) {
      TRY(ends_.feed(bytes.substr(run, at - run), sink));
      run = at + 1;
    } else if (state_ == State::dot_cr || state_ == State::finished) {
      run = at + 1;
    } else if (before == State::dot_cr) {
      TRY(ends_.feed("\r", sink));  // it was held back: it might have been the end
    }
    ++at;
  }
  if (run < at) TRY(ends_.feed(bytes.substr(run, at - run), sink));
  return at;
}

}  // namespace postern::net
