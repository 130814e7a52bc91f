#include "lib/store/view.h"

#include <algorithm>

#include "lib/base/assert.h"

namespace postern::store {

void View::count() {
  ranks_.assign(words_.size() / kGroup + 1, 0);
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < words_.size(); ++i) {
    if (i % kGroup == 0) ranks_[i / kGroup] = sum;
    sum += static_cast<std::uint32_t>(std::popcount(words_[i]));
  }
  if (words_.size() % kGroup == 0) ranks_[words_.size() / kGroup] = sum;
  mark_.exists = sum;
}

RecNo View::at(SeqNum seqnum) const {
  ASSERT(seqnum.value() >= 1 && seqnum.value() <= mark_.exists);
  std::uint32_t left = seqnum.value() - 1;
  const auto group = std::ranges::upper_bound(ranks_, left) - ranks_.begin() - 1;
  std::size_t word = static_cast<std::size_t>(group) * kGroup;
  left -= ranks_[static_cast<std::size_t>(group)];
  for (;; ++word) {
    const auto here = static_cast<std::uint32_t>(std::popcount(words_[word]));
    if (left < here) break;
    left -= here;
  }
  std::uint64_t bits = words_[word];
  for (; left > 0; --left) bits &= bits - 1;
  return RecNo(static_cast<std::uint32_t>(word * 64) +
               static_cast<std::uint32_t>(std::countr_zero(bits)));
}

bool View::shows(RecNo record) const {
  const std::size_t word = record.value() / 64;
  return word < words_.size() && (words_[word] >> (record.value() % 64) & 1) != 0;
}

std::optional<SeqNum> View::seqnum_of(RecNo record) const {
  if (!shows(record)) return std::nullopt;
  const std::size_t word = record.value() / 64;
  std::uint32_t before = ranks_[word / kGroup];
  for (std::size_t i = word / kGroup * kGroup; i < word; ++i)
    before += static_cast<std::uint32_t>(std::popcount(words_[i]));
  const std::uint64_t below = (std::uint64_t{1} << (record.value() % 64)) - 1;
  before += static_cast<std::uint32_t>(std::popcount(words_[word] & below));
  return SeqNum(before + 1);
}

}  // namespace postern::store
