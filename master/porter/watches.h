// Which quiet sessions wait on which slot of the change board.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "lib/service/daemon.h"

namespace postern::porter {

class Watches {
 public:
  /// `session`: row number. A session is added once before it is removed.
  void add(std::uint32_t session, std::vector<service::Watch> watches);
  void remove(std::uint32_t session);
  /// Gives memory back: no session at or above `top` watches anything.
  void tidy(std::uint32_t top);
  /// Calls f(session) for each that watches `slot`; f must not add or remove.
  template <typename F>
  void for_each(std::uint32_t slot, F&& f) const {
    const auto at = by_slot_.find(slot);
    if (at == by_slot_.end()) return;
    for (const std::uint32_t session : at->second) f(session);
  }
  /// Calls f(session, watch) for every watch there is; f must not add or remove.
  template <typename F>
  void for_all(F&& f) const {
    for (std::uint32_t session = 0; session < of_session_.size(); ++session)
      for (const service::Watch& watch : of_session_[session]) f(session, watch);
  }
  [[nodiscard]] const std::vector<service::Watch>& of(std::uint32_t session) const;

 private:
  std::unordered_map<std::uint32_t, std::vector<std::uint32_t>> by_slot_;
  std::vector<std::vector<service::Watch>> of_session_;
};

}  // namespace postern::porter
