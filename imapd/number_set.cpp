// Sets of message numbers: resolving what a client wrote, writing our own (RFC 9051 §9).
#include "imapd/number_set.h"

#include <algorithm>

namespace postern::imap {
namespace {

NumberRange resolve(const NumberRange& range, std::uint32_t highest) {
  const std::uint32_t a = range.first == 0 ? highest : range.first;
  const std::uint32_t b = range.last == 0 ? highest : range.last;
  return {std::min(a, b), std::max(a, b)};
}

bool has_star(const NumberRange& range) { return range.first == 0 || range.last == 0; }

}  // namespace

std::vector<NumberRange> NumberSet::resolved(std::uint32_t highest) const {
  std::vector<NumberRange> all;
  all.reserve(ranges.size());
  for (const NumberRange& range : ranges)
    if (highest != 0 || !has_star(range)) all.push_back(resolve(range, highest));
  std::sort(all.begin(), all.end(),
            [](const NumberRange& a, const NumberRange& b) { return a.first < b.first; });
  std::vector<NumberRange> joined;
  for (const NumberRange& range : all) {
    const bool touches =
        !joined.empty() && std::uint64_t{range.first} <= std::uint64_t{joined.back().last} + 1;
    if (touches)
      joined.back().last = std::max(joined.back().last, range.last);
    else
      joined.push_back(range);
  }
  return joined;
}

std::uint32_t NumberSet::highest_written() const {
  std::uint32_t highest = 0;
  for (const NumberRange& range : ranges)
    if (!has_star(range)) highest = std::max({highest, range.first, range.last});
  return highest;
}

void NumberSetWriter::flush() {
  if (count_ == 0) return;
  if (any_) out_ += ',';
  any_ = true;
  out_ += std::to_string(first_);
  if (last_ != first_) {
    out_ += ':';
    out_ += std::to_string(last_);
  }
  count_ = 0;
}

std::string format_uid_set(std::span<const Uid> uids) {
  std::string out;
  NumberSetWriter writer(out);
  for (const Uid uid : uids) writer.add(uid.value());
  writer.finish();
  return out;
}

}  // namespace postern::imap
