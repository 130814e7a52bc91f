// LineWriter: formats many short pieces straight into the stream's buffer; nothing is allocated.
// For FETCH, whose cost is formatting. Between its making and its end nobody else may write.
#pragma once

#include <charconv>
#include <cstdint>
#include <string_view>

#include "lib/net/stream.h"

namespace postern::imap {

class LineWriter {
 public:
  explicit LineWriter(net::Stream& stream) : stream_(stream) {}
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;
  ~LineWriter() { commit(); }

  void octet(char c) {
    ensure(1);
    *at_++ = c;
  }
  void text(std::string_view text) {
    if (text.size() > kChunk) return long_text(text);
    ensure(text.size());
    text.copy(at_, text.size());
    at_ += text.size();
  }
  void number(std::uint64_t value) {
    ensure(20);
    at_ = std::to_chars(at_, at_ + 20, value).ptr;
  }
  /// Hands what was formatted to the stream.
  void commit() {
    if (at_ != begin_) stream_.wrote(static_cast<std::size_t>(at_ - begin_));
    begin_ = at_ = end_ = nullptr;
  }

 private:
  static constexpr std::size_t kChunk = 16 << 10;

  void ensure(std::size_t size) {
    if (static_cast<std::size_t>(end_ - at_) >= size) return;
    commit();
    begin_ = at_ = stream_.room(kChunk);
    end_ = begin_ + kChunk;
  }
  void long_text(std::string_view text) {
    commit();
    stream_.write(text);
  }

  net::Stream& stream_;
  char* begin_ = nullptr;
  char* at_ = nullptr;
  char* end_ = nullptr;
};

}  // namespace postern::imap
