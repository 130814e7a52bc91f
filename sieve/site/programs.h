// The administrator's programs that `pipe` hands messages to (sieve.program_directory).
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/config/config.h"
#include "sieve/action.h"

namespace postern::site {

class Programs {
 public:
  /// sieve.program_directory and sieve.program_timeout.
  static Programs from(const config::Config& config);

  /// Whom a program runs for: its environment says so, and holds nothing else of ours.
  struct Facts {
    std::string user;
    std::string sender;     // of the envelope; "" without one
    std::string recipient;  // "" without one
    std::string hostname;
  };
  /// Runs it with `message` on its standard input, as it is (CRLF). Success is exit status 0.
  /// @error no_such_object  there is no such program, or none at all is allowed
  /// @error io              it ended with another status; the text has what it printed
  /// @error timed_out, unavailable
  Result<void> run(const sieve::Pipe& call, std::string_view message, const Facts& facts) const;

 private:
  std::string directory_;
  std::chrono::milliseconds timeout_{0};
};

}  // namespace postern::site
