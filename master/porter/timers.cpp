#include "master/porter/timers.h"

#include <algorithm>

namespace postern::porter {

void Timers::set(std::uint32_t slot, std::int64_t when) {
  if (when == 0) return;
  if (slot >= earliest_.size()) earliest_.resize(slot + 1);
  std::int64_t& earliest = earliest_[slot];
  if (earliest != 0 && earliest <= when) return;
  earliest = when;
  queue_.push({when, slot});
}

bool Timers::take_due(std::int64_t now, std::uint32_t& slot) {
  while (!queue_.empty() && queue_.top().when <= now) {
    const Entry entry = queue_.top();
    queue_.pop();
    if (earliest_[entry.slot] != entry.when) continue;  // an earlier one came in between
    earliest_[entry.slot] = 0;
    slot = entry.slot;
    return true;
  }
  return false;
}

std::int64_t Timers::wait(std::int64_t now, std::int64_t most) const {
  if (queue_.empty()) return most;
  return std::clamp<std::int64_t>(queue_.top().when - now, 0, most);
}

}  // namespace postern::porter
