// SeenRanges: which uids one user has seen, and the modseq of each last change: disjoint ranges in
// uid order. What no range covers was never touched. doc/format.md, "Seen".
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/ids.h"

namespace postern::store {

struct SeenRange {
  static constexpr std::uint64_t kSeen = std::uint64_t{1} << 63;
  std::uint32_t first = 0, count = 0;  // uids
  std::uint64_t change = 0;            // modseq of the last change; kSeen

  static SeenRange of(std::uint64_t first, std::uint64_t end, bool seen, std::uint64_t modseq) {
    return {static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(end - first),
            modseq | (seen ? kSeen : 0)};
  }
  [[nodiscard]] bool seen() const { return (change & kSeen) != 0; }
  [[nodiscard]] std::uint64_t modseq() const { return change & ~kSeen; }
  [[nodiscard]] std::uint64_t end() const { return std::uint64_t{first} + count; }
  friend bool operator==(const SeenRange&, const SeenRange&) = default;
};
static_assert(sizeof(SeenRange) == 16);

class SeenRanges {
 public:
  /// The newer change of a uid stays, in whatever order they come.
  void set(const SeenRange& change);
  [[nodiscard]] bool seen(Uid uid) const {
    const SeenRange* range = find(uid);
    return range != nullptr && range->seen();
  }
  /// 0: never touched.
  [[nodiscard]] std::uint64_t modseq(Uid uid) const {
    const SeenRange* range = find(uid);
    return range == nullptr ? 0 : range->modseq();
  }
  [[nodiscard]] const SeenRange* find(Uid uid) const;
  [[nodiscard]] std::span<const SeenRange> all() const { return ranges_; }

  /// Nothing at or above `end`, and no modseq above `modseq`.
  void limit(std::uint64_t end, std::uint64_t modseq);
  /// Uids in [1, end) that no range covers are unseen as of `modseq`.
  void fill_gaps(std::uint64_t end, std::uint64_t modseq);
  /// Makes neighbours one range where nobody is told less by it: all but the `detail` newest
  /// changes may look newer than they are. `is_empty` says whether [from, end) has no message.
  void coarsen(std::size_t detail,
               const std::function<bool(std::uint64_t, std::uint64_t)>& is_empty);

 private:
  std::vector<SeenRange> ranges_;
  mutable std::size_t last_ = 0;  // found last: walks go in uid order
};

/// Records of the file, each with at most 1,024 ranges. `seed` ties them to mailbox and user.
std::string encode_seen(std::span<const SeenRange> ranges, std::uint32_t seed);
struct SeenRead {
  std::size_t end = 0;   // behind the last sound record
  bool damaged = false;  // something before it isn't sound
};
/// Takes the sound records of `bytes`, a multiple of 16 octets from the file's begin.
SeenRead read_seen(std::string_view bytes, std::uint32_t seed, SeenRanges& ranges);

}  // namespace postern::store
