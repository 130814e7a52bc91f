#include "master/porter/watches.h"

#include <algorithm>

namespace postern::porter {

void Watches::add(std::uint32_t session, std::vector<service::Watch> watches) {
  if (watches.empty()) return;
  if (session >= of_session_.size()) of_session_.resize(session + 1);
  for (const service::Watch& watch : watches) by_slot_[watch.slot].push_back(session);
  of_session_[session] = std::move(watches);
}

void Watches::remove(std::uint32_t session) {
  if (session >= of_session_.size()) return;
  for (const service::Watch& watch : std::exchange(of_session_[session], {})) {
    const auto at = by_slot_.find(watch.slot);
    if (at == by_slot_.end()) continue;
    auto& sessions = at->second;
    const auto found = std::ranges::find(sessions, session);
    if (found == sessions.end()) continue;
    *found = sessions.back();
    sessions.pop_back();
    if (sessions.empty()) by_slot_.erase(at);
  }
}

void Watches::tidy(std::uint32_t top) {
  if (of_session_.size() > top) of_session_.resize(top);
  of_session_.shrink_to_fit();
  by_slot_.rehash(0);
}

const std::vector<service::Watch>& Watches::of(std::uint32_t session) const {
  static const std::vector<service::Watch> none;
  return session < of_session_.size() ? of_session_[session] : none;
}

}  // namespace postern::porter
