#include "lib/service/poll_limit.h"

#include <algorithm>
#include <functional>

namespace postern::service {

// A row holds 32 bits of the user's hash and the time at which the user's account of visits is
// whole again. Users who fall into one row displace each other: the limit is soft.
std::chrono::seconds PollLimit::come(std::string_view user, std::int64_t now) {
  if (interval_ <= 0) return {};
  const std::uint64_t hash = std::hash<std::string_view>{}(user);
  const std::uint64_t key = hash >> 32;
  PollRow& row = rows_[hash % rows_.size()];
  std::uint64_t old = row.load();
  for (;;) {
    const bool mine = old >> 32 == key;
    const auto whole = std::max(now, mine ? static_cast<std::int64_t>(old & 0xffffffff) : 0);
    const std::int64_t early = whole + interval_ - now - interval_ * burst_;
    if (early > 0) return std::chrono::seconds{early};
    const std::uint64_t fresh =
        key << 32 | (static_cast<std::uint64_t>(whole + interval_) & 0xffffffff);
    if (row.compare_exchange_weak(old, fresh)) return {};
  }
}

}  // namespace postern::service
