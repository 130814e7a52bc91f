// Sets of message numbers as clients write them (sequence-set) and as we write them (uid-set).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "lib/base/ids.h"

namespace postern::imap {

/// seq-range of RFC 9051 §9. 0 stands for "*", the highest number in use.
struct NumberRange {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  friend bool operator==(const NumberRange&, const NumberRange&) = default;
};

/// sequence-set as parsed: order and overlaps as the client wrote them.
struct NumberSet {
  std::vector<NumberRange> ranges;
  bool saved = false;  // "$", the result of SEARCH RETURN (SAVE): RFC 5182 §2.1

  /// Ascending, without overlap, "*" replaced by `highest`. A range that only "*" brings into
  /// being (5:* with four messages) becomes "4", as RFC 9051 §9 says. With `highest` 0 (an empty
  /// mailbox) there is no "*": ranges that need it vanish.
  [[nodiscard]] std::vector<NumberRange> resolved(std::uint32_t highest) const;
  /// The highest number that is written out; 0 if there is only "*".
  [[nodiscard]] std::uint32_t highest_written() const;
};

/// Collects ascending numbers and joins neighbours: "2,5:7".
class NumberSetWriter {
 public:
  explicit NumberSetWriter(std::string& out) : out_(out) {}
  void add(std::uint32_t number) {
    if (count_ != 0 && number == last_ + 1) {
      ++last_;
      return;
    }
    flush();
    first_ = last_ = number;
    count_ = 1;
  }
  void add(const NumberRange& range) {
    if (count_ != 0 && range.first == last_ + 1) {
      last_ = range.last;
      return;
    }
    flush();
    first_ = range.first;
    last_ = range.last;
    count_ = 1;
  }
  /// Writes what is held back. Call once, at the end.
  void finish() { flush(); }

 private:
  void flush();
  std::string& out_;
  std::uint32_t first_ = 0, last_ = 0, count_ = 0;
  bool any_ = false;
};

std::string format_uid_set(std::span<const Uid> uids);

}  // namespace postern::imap
