// View: the messages that a session shows its client, as a bitmap over record numbers with rank
// and select. One million messages cost 129 KB and 8 us to copy.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <vector>

#include "lib/store/types.h"

namespace postern::store {

class View {
 public:
  static constexpr std::size_t kGroup = 8;  // words a rank

  [[nodiscard]] std::uint32_t exists() const { return mark_.exists; }
  /// The record of message `seqnum`. @pre 1 <= seqnum <= exists()
  [[nodiscard]] RecNo at(SeqNum seqnum) const;
  /// Its sequence number, if it is shown.
  [[nodiscard]] std::optional<SeqNum> seqnum_of(RecNo record) const;
  [[nodiscard]] bool shows(RecNo record) const;
  /// The first shown record >= `record`; for walks in order without select().
  [[nodiscard]] std::optional<RecNo> next_from(RecNo record) const {
    std::size_t word = record.value() / 64;
    if (word >= words_.size()) return std::nullopt;
    std::uint64_t left = words_[word] >> (record.value() % 64) << (record.value() % 64);
    while (left == 0)
      if (++word >= words_.size())
        return std::nullopt;
      else
        left = words_[word];
    return RecNo(static_cast<std::uint32_t>(word * 64) +
                 static_cast<std::uint32_t>(std::countr_zero(left)));
  }
  [[nodiscard]] const ViewMark& mark() const { return mark_; }

 private:
  friend class Mailbox;
  friend struct ViewBuilder;
  void count();

  ViewMark mark_;
  std::uint64_t generation_ = 0;      // of the index that the record numbers belong to
  std::vector<std::uint64_t> words_;  // bit r: record r is shown
  std::vector<std::uint32_t> ranks_;  // shown records before each group of words
};

}  // namespace postern::store
