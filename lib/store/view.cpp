#include "lib/store/view.h"

#include <algorithm>
#include <span>

#include "lib/base/assert.h"

namespace postern::store {

namespace {

// Writes the number of bits before each group of words, and one rank behind the last; gives the
// sum.
template <std::size_t kGroup>
[[gnu::always_inline]] inline std::uint32_t rank(std::span<const std::uint64_t> words,
                                                 std::uint32_t* ranks) {
  std::uint32_t sum = 0;
  for (; words.size() >= kGroup; words = words.subspan(kGroup)) {
    *ranks++ = sum;
    for (std::size_t i = 0; i < kGroup; ++i)
      sum += static_cast<std::uint32_t>(std::popcount(words[i]));
  }
  *ranks = sum;
  for (const std::uint64_t word : words) sum += static_cast<std::uint32_t>(std::popcount(word));
  return sum;
}

#if defined(__x86_64__)
// The baseline of x86-64 lacks the instruction, and the table of libgcc takes eight times as long.
[[gnu::target("popcnt")]] std::uint32_t rank_by_instruction(std::span<const std::uint64_t> words,
                                                            std::uint32_t* ranks) {
  return rank<View::kGroup>(words, ranks);
}
#endif

}  // namespace

void View::count() {
  ranks_.resize(words_.size() / kGroup + 1);
#if defined(__x86_64__)
  static const bool has_instruction = __builtin_cpu_supports("popcnt") != 0;
  if (has_instruction) {
    mark_.exists = rank_by_instruction(words_, ranks_.data());
    return;
  }
#endif
  mark_.exists = rank<kGroup>(words_, ranks_.data());
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
