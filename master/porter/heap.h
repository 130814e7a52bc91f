// The heap of parked records: extents in the scoreboard's shared memory. What is in use is said by
// the session rows alone; the free list is private and made anew from them after a crash.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string_view>

#include "lib/base/result.h"

namespace postern::porter {

/// A piece of the heap in one word, so that a row changes it atomically. 0: none.
class Extent {
 public:
  static constexpr std::uint64_t kUnit = 64;  // octets

  Extent() = default;
  explicit Extent(std::uint64_t word) : word_(word) {}
  Extent(std::uint64_t offset, std::size_t size) : word_((offset / kUnit) << 32 | size) {}
  [[nodiscard]] std::uint64_t word() const { return word_; }
  [[nodiscard]] std::uint64_t offset() const { return (word_ >> 32) * kUnit; }
  [[nodiscard]] std::size_t size() const { return word_ & 0xffffffff; }
  /// Octets that it takes in the heap.
  [[nodiscard]] std::uint64_t space() const { return (size() + kUnit - 1) / kUnit * kUnit; }
  [[nodiscard]] bool empty() const { return size() == 0; }

 private:
  std::uint64_t word_ = 0;
};

class Heap {
 public:
  /// `base`: page-aligned, `size` octets, all free.
  Heap(char* base, std::uint64_t size);

  /// A copy of `bytes` in the heap. @error limit  the heap is full
  Result<Extent> store(std::string_view bytes);
  void release(Extent extent);
  /// Marks an extent that a row names as used. @error corrupt  it overlaps another
  Result<void> claim(Extent extent);
  [[nodiscard]] std::string_view view(Extent extent) const {
    return {base_ + extent.offset(), extent.size()};
  }
  [[nodiscard]] std::uint64_t used() const { return used_; }
  /// Gives pages of free extents back to the kernel.
  void trim();

 private:
  void add_free(std::uint64_t offset, std::uint64_t size);
  void remove_free(std::map<std::uint64_t, std::uint64_t>::iterator at);

  char* base_;
  std::uint64_t used_ = 0;
  bool freed_since_trim_ = false;
  std::map<std::uint64_t, std::uint64_t> free_;                // offset -> size, coalesced
  std::set<std::pair<std::uint64_t, std::uint64_t>> by_size_;  // (size, offset): best fit
};

}  // namespace postern::porter
