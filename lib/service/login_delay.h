// Failed logins, counted for each (address, user) in shared memory: the delay of the answer grows
// in all processes alike.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>

#include "lib/service/scoreboard.h"

namespace postern::service {

class LoginDelay {
 public:
  /// `first`: delay after one failure; it doubles up to `most`.
  LoginDelay(std::span<LoginRow> rows, std::chrono::milliseconds first,
             std::chrono::milliseconds most)
      : rows_(rows), first_(first), most_(most) {}

  /// Counts a failure and gives the delay of its answer. Forgotten after ten quiet minutes.
  /// Pairs that share a row take it over from each other: the table never fills.
  std::chrono::milliseconds failed(std::string_view address, std::string_view user);
  /// A login succeeded: the pair starts from nothing again.
  void succeeded(std::string_view address, std::string_view user);

 private:
  std::span<LoginRow> rows_;
  std::chrono::milliseconds first_;
  std::chrono::milliseconds most_;
};

}  // namespace postern::service
