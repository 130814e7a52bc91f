#include "master/porter/heap.h"

#include <sys/mman.h>

#include <cstring>

namespace postern::porter {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kWorthTrimming = 64 * 1024;

}  // namespace

Heap::Heap(char* base, std::uint64_t size) : base_(base) { add_free(0, size); }

void Heap::add_free(std::uint64_t offset, std::uint64_t size) {
  free_.emplace(offset, size);
  by_size_.emplace(size, offset);
}

void Heap::remove_free(std::map<std::uint64_t, std::uint64_t>::iterator at) {
  by_size_.erase({at->second, at->first});
  free_.erase(at);
}

Result<Extent> Heap::store(std::string_view bytes) {
  if (bytes.empty()) return Extent{};
  const std::uint64_t space = Extent(0, bytes.size()).space();
  const auto fit = by_size_.lower_bound({space, 0});
  if (fit == by_size_.end()) return fail(Errc::limit, "the heap of parked records is full");
  const auto [size, offset] = *fit;
  remove_free(free_.find(offset));
  if (size > space) add_free(offset + space, size - space);
  std::memcpy(base_ + offset, bytes.data(), bytes.size());
  used_ += space;
  return Extent(offset, bytes.size());
}

void Heap::release(Extent extent) {
  if (extent.empty()) return;
  std::uint64_t offset = extent.offset();
  std::uint64_t size = extent.space();
  used_ -= size;
  freed_since_trim_ = true;
  auto next = free_.lower_bound(offset);
  if (next != free_.end() && next->first == offset + size) {
    size += next->second;
    const auto after = std::next(next);
    remove_free(next);
    next = after;
  }
  if (next != free_.begin()) {
    const auto before = std::prev(next);
    if (before->first + before->second == offset) {
      offset = before->first;
      size += before->second;
      remove_free(before);
    }
  }
  add_free(offset, size);
}

Result<void> Heap::claim(Extent extent) {
  if (extent.empty()) return {};
  const std::uint64_t offset = extent.offset();
  const std::uint64_t end = offset + extent.space();
  auto at = free_.upper_bound(offset);
  if (at == free_.begin()) return fail(Errc::corrupt, "two records overlap at {}", offset);
  --at;
  const auto [free_offset, free_size] = *at;
  const std::uint64_t free_end = free_offset + free_size;
  if (free_offset > offset || free_end < end)
    return fail(Errc::corrupt, "two records overlap at {}", offset);
  remove_free(at);
  if (free_offset < offset) add_free(free_offset, offset - free_offset);
  if (end < free_end) add_free(end, free_end - end);
  used_ += extent.space();
  return {};
}

void Heap::trim() {
  if (!std::exchange(freed_since_trim_, false)) return;
  for (const auto& [offset, size] : free_) {
    if (size < kWorthTrimming) continue;
    const std::uint64_t begin = (offset + kPage - 1) / kPage * kPage;
    const std::uint64_t end = (offset + size) / kPage * kPage;
    madvise(base_ + begin, end - begin, MADV_REMOVE);
  }
}

}  // namespace postern::porter
