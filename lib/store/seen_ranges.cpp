#include "lib/store/seen_ranges.h"

#include <cstring>

#include "lib/base/crc32c.h"

namespace postern::store {
namespace {

constexpr std::size_t kMostInRecord = 1'024;
constexpr std::size_t kAlign = 16;

struct RecordHead {
  std::uint32_t length = 0;  // with this head
  std::uint32_t crc = 0;     // of what follows
  std::uint32_t count = 0;   // ranges
  std::uint32_t reserved = 0;
};
static_assert(sizeof(RecordHead) == kAlign && sizeof(SeenRange) == kAlign);

void push(std::vector<SeenRange>& ranges, const SeenRange& next) {
  if (next.count == 0) return;
  if (!ranges.empty() && ranges.back().end() == next.first && ranges.back().change == next.change)
    ranges.back().count += next.count;
  else
    ranges.push_back(next);
}

void push(std::vector<SeenRange>& ranges, std::uint64_t begin, std::uint64_t end,
          std::uint64_t change) {
  if (begin >= end) return;
  push(ranges,
       {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end - begin), change});
}

bool is_sane(const SeenRange& range) {
  return range.first > 0 && range.count > 0 && range.end() <= std::uint64_t{1} << 32;
}

/// The length of the sound record that `bytes` begin with, 0 without one.
std::size_t take_record(std::string_view bytes, std::uint32_t seed, SeenRanges& ranges) {
  RecordHead head;
  if (bytes.size() < sizeof head) return 0;
  std::memcpy(&head, bytes.data(), sizeof head);
  if (head.count == 0 || head.length > bytes.size() ||
      head.length != sizeof head + std::uint64_t{head.count} * sizeof(SeenRange) ||
      head.crc != crc32c(bytes.substr(8, head.length - 8), seed))
    return 0;
  for (std::uint32_t i = 0; i < head.count; ++i) {
    SeenRange range;
    std::memcpy(&range, bytes.data() + sizeof head + i * sizeof range, sizeof range);
    if (is_sane(range)) ranges.set(range);
  }
  return head.length;
}

}  // namespace

const SeenRange* SeenRanges::find(Uid uid) const {
  const std::uint32_t number = uid.value();
  const auto covers = [&](std::size_t i) {
    return i < ranges_.size() && ranges_[i].first <= number && number < ranges_[i].end();
  };
  if (covers(last_)) return &ranges_[last_];
  if (!covers(++last_))
    last_ = static_cast<std::size_t>(
        std::ranges::lower_bound(ranges_, number, {},
                                 [](const SeenRange& r) { return r.end() - 1; }) -
        ranges_.begin());
  return covers(last_) ? &ranges_[last_] : nullptr;
}

void SeenRanges::set(const SeenRange& change) {
  if (ranges_.empty() || ranges_.back().end() <= change.first) return push(ranges_, change);
  auto from = std::ranges::lower_bound(ranges_, std::uint64_t{change.first}, {},
                                       [](const SeenRange& r) { return r.end() - 1; });
  if (from != ranges_.begin()) --from;  // it may become one with what changes
  auto to = from;
  std::vector<SeenRange> piece;
  std::uint64_t at = change.first;
  for (; to != ranges_.end() && to->first < change.end(); ++to) {
    push(piece, to->first, std::min(to->end(), at), to->change);
    push(piece, at, to->first, change.change);
    const std::uint64_t low = std::max<std::uint64_t>(at, to->first);
    const std::uint64_t high = std::min(to->end(), change.end());
    push(piece, low, high, to->modseq() >= change.modseq() ? to->change : change.change);
    push(piece, std::max(low, high), to->end(), to->change);
    at = std::max(at, high);
  }
  push(piece, at, change.end(), change.change);
  if (to != ranges_.end()) push(piece, *to++);
  const auto shared = std::min<std::ptrdiff_t>(to - from, std::ssize(piece));
  std::copy_n(piece.begin(), shared, from);
  ranges_.insert(ranges_.erase(from + shared, to), piece.begin() + shared, piece.end());
}

void SeenRanges::limit(std::uint64_t end, std::uint64_t modseq) {
  std::vector<SeenRange> limited;
  for (const SeenRange& range : ranges_)
    push(limited, range.first, std::min(range.end(), end),
         std::min(range.modseq(), modseq) | (range.seen() ? SeenRange::kSeen : 0));
  ranges_ = std::move(limited);
}

void SeenRanges::fill_gaps(std::uint64_t end, std::uint64_t modseq) {
  std::vector<SeenRange> filled;
  std::uint64_t at = 1;
  for (const SeenRange& range : ranges_) {
    push(filled, at, range.first, modseq);
    push(filled, range);
    at = range.end();
  }
  push(filled, at, end, modseq);
  ranges_ = std::move(filled);
}

void SeenRanges::coarsen(std::size_t detail,
                         const std::function<bool(std::uint64_t, std::uint64_t)>& is_empty) {
  std::uint64_t horizon = 0;  // changes up to it may look newer
  if (ranges_.size() > detail) {
    std::vector<std::uint64_t> modseqs;
    for (const SeenRange& range : ranges_) modseqs.push_back(range.modseq());
    const auto at = modseqs.begin() + static_cast<std::ptrdiff_t>(modseqs.size() - detail - 1);
    std::ranges::nth_element(modseqs, at);
    horizon = *at;
  }
  std::vector<SeenRange> fewer;
  for (const SeenRange& range : ranges_) {
    SeenRange* last = fewer.empty() ? nullptr : &fewer.back();
    const bool alike =
        last != nullptr && last->seen() == range.seen() &&
        (std::max(last->modseq(), range.modseq()) <= horizon || last->modseq() == range.modseq());
    if (alike &&
        (!range.seen() || last->end() == range.first || is_empty(last->end(), range.first)))
      *last = SeenRange::of(last->first, range.end(), range.seen(),
                            std::max(last->modseq(), range.modseq()));
    else
      fewer.push_back(range);
  }
  ranges_ = std::move(fewer);
}

std::string encode_seen(std::span<const SeenRange> ranges, std::uint32_t seed) {
  std::string out;
  for (; !ranges.empty(); ranges = ranges.subspan(std::min(kMostInRecord, ranges.size()))) {
    const auto some = ranges.first(std::min(kMostInRecord, ranges.size()));
    RecordHead head;
    head.count = static_cast<std::uint32_t>(some.size());
    head.length = static_cast<std::uint32_t>(sizeof head + some.size_bytes());
    const std::size_t begin = out.size();
    out.append(reinterpret_cast<const char*>(&head), sizeof head);
    out.append(reinterpret_cast<const char*>(some.data()), some.size_bytes());
    head.crc = crc32c(std::string_view(out).substr(begin + 8), seed);
    std::memcpy(out.data() + begin, &head, sizeof head);
  }
  return out;
}

SeenRead read_seen(std::string_view bytes, std::uint32_t seed, SeenRanges& ranges) {
  SeenRead read;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t length = take_record(bytes.substr(at), seed, ranges);
    if (length > 0) {
      read.damaged = read.damaged || at != read.end;
      read.end = at + length;
    }
    at += length > 0 ? length : kAlign;
  }
  return read;
}

}  // namespace postern::store
