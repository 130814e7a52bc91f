// View: the messages that a session shows its client, as a bitmap over record numbers with rank
// and select. One million messages cost 129 KB and 8 us to copy.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "lib/store/types.h"

namespace postern::store {

class View {
 public:
  [[nodiscard]] std::uint32_t exists() const;
  /// The record of message `seqnum`. @pre 1 <= seqnum <= exists()
  [[nodiscard]] RecNo at(SeqNum seqnum) const;
  /// Its sequence number, if it is shown.
  [[nodiscard]] std::optional<SeqNum> seqnum_of(RecNo record) const;
  [[nodiscard]] bool shows(RecNo record) const;
  /// The first shown record >= `record`; for walks in order without select().
  [[nodiscard]] std::optional<RecNo> next_from(RecNo record) const;
  [[nodiscard]] const ViewMark& mark() const { return mark_; }

 private:
  friend class Mailbox;
  friend class ViewBuilder;
  ViewMark mark_;
  std::vector<std::uint64_t> words_;  // bit r: record r is shown
  std::vector<std::uint32_t> ranks_;  // shown records before each group of words
};

}  // namespace postern::store
