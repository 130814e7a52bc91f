// How often a user may fetch mail (POP3's LOGIN-DELAY, RFC 2449 §6.6): a soft limit in shared
// memory. A user may come `burst` times at once, and gains one time every `interval`.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>

#include "lib/service/scoreboard.h"

namespace postern::service {

class PollLimit {
 public:
  PollLimit(std::span<PollRow> rows, std::chrono::seconds interval, std::uint32_t burst)
      : rows_(rows), interval_(interval.count()), burst_(burst) {}

  /// Counts a login of `user` and allows it; or how long it is too early. `now`: seconds.
  std::chrono::seconds come(std::string_view user, std::int64_t now);

 private:
  std::span<PollRow> rows_;
  std::int64_t interval_;
  std::int64_t burst_;
};

}  // namespace postern::service
