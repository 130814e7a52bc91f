// A program that gets octets on its standard input and is given a time: sendmail, and the
// administrator's programs for `pipe`.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

namespace postern::site {

struct ChildPlan {
  std::vector<std::string> words;  // a path, then its arguments; no shell sees them
  /// "NAME=value"; nothing of ours comes with them. Null: our own environment.
  const std::vector<std::string>* environment = nullptr;
  std::string_view input;
  std::chrono::milliseconds limit{0};
  std::size_t most_output = 0;  // octets of standard output and error that are kept
};

struct ChildEnd {
  int status = 0;  // as of waitpid
  std::string output;
};

/// Returns when the program has ended, perhaps before it read all its input; what it has started
/// may go on. Beyond its time it is killed with its process group.
/// @error timed_out, unavailable (it can't be started), io
Result<ChildEnd> run_child(const ChildPlan& plan);

}  // namespace postern::site
