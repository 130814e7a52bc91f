#include "lib/store/keyword_plan.h"

#include <algorithm>

namespace postern::store {
namespace {
constexpr std::size_t kMostOctets = 255;
}

std::uint64_t KeywordPlan::place(std::size_t entry_size) {
  if (end_ == 0) end_ = std::max<std::uint64_t>(change_.state.keywords_end, sizeof(Preamble));
  const std::uint64_t at = end_;
  end_ += entry_size;
  return at;
}

Result<KeywordBits> KeywordPlan::resolve(std::span<const std::string> names, bool define) {
  KeywordBits bits;
  for (const std::string& name : names) {
    auto number = files_.keywords.find(name);
    if (!number)
      if (const auto at = fresh_.find(name); at != fresh_.end()) number = at->second;
    if (!number && !define) continue;
    if (!number) {
      const std::size_t next = change_.state.keyword_count + fresh_.size();
      if (next >= files_.shared.max_keywords || name.size() > kMostOctets)
        return fail(Errc::limit, "{}: no room for another keyword", files_.id.hex());
      number = static_cast<std::uint16_t>(next);
      const std::string entry = KeywordTable::entry(false, *number, name);
      change_.add(LogType::keyword,
                  encode(NamePayload{.number = *number, .at = place(entry.size()), .bytes = name}));
      fresh_.emplace(name, *number);
    }
    if (*number < 64)
      bits.low |= std::uint64_t{1} << *number;
    else
      bits.more.push_back(*number);
  }
  std::ranges::sort(bits.more);
  bits.more.erase(std::unique(bits.more.begin(), bits.more.end()), bits.more.end());
  return bits;
}

std::uint32_t KeywordPlan::intern(const std::vector<std::uint16_t>& keywords) {
  if (const auto known = files_.keywords.find_set(keywords)) return *known;
  if (const auto at = fresh_sets_.find(keywords); at != fresh_sets_.end()) return at->second;
  const auto number = static_cast<std::uint32_t>(std::max<std::size_t>(1, change_.state.set_count) +
                                                 fresh_sets_.size());
  const std::string bytes = KeywordTable::encode_set(keywords);
  const std::string entry = KeywordTable::entry(true, number, bytes);
  change_.add(LogType::set,
              encode(NamePayload{.number = number, .at = place(entry.size()), .bytes = bytes}));
  fresh_sets_.emplace(keywords, number);
  return number;
}

}  // namespace postern::store
