// When to look at a session again. Each session has at most one entry that counts; parking one
// sixty thousand times a second with far deadlines adds nothing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <queue>
#include <vector>

namespace postern::porter {

class Timers {
 public:
  /// Look at `slot` at `when` (steady ms) at the latest; 0: no wish. Earlier wishes stay.
  void set(std::uint32_t slot, std::int64_t when);
  /// A slot whose time has come, or nothing: call until it gives false.
  bool take_due(std::int64_t now, std::uint32_t& slot);
  /// Forgets every slot that `keep` refuses, and the memory of those at and above `top`.
  template <typename Keep>
  void tidy(std::uint32_t top, Keep&& keep) {
    std::vector<Entry> kept;
    for (; !queue_.empty(); queue_.pop()) {
      const Entry& entry = queue_.top();
      if (entry.slot < top && earliest_[entry.slot] == entry.when && keep(entry.slot))
        kept.push_back(entry);
    }
    earliest_.assign(std::min<std::size_t>(top, earliest_.size()), 0);
    earliest_.shrink_to_fit();
    for (const Entry& entry : kept) earliest_[entry.slot] = entry.when;
    queue_ = decltype(queue_)(std::greater<>(), std::move(kept));
  }
  /// Milliseconds until the next entry, at most `most`.
  [[nodiscard]] std::int64_t wait(std::int64_t now, std::int64_t most) const;

 private:
  struct Entry {
    std::int64_t when;
    std::uint32_t slot;
    friend bool operator>(const Entry& a, const Entry& b) { return a.when > b.when; }
  };
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue_;
  std::vector<std::int64_t> earliest_;  // of a slot; 0: no entry
};

}  // namespace postern::porter
