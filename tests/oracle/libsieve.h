// Debian's libsieve 2.2.6 as an independent second opinion. It crashes on ordinary input and is not
// thread-safe, so each run is a child process with a time limit.
#pragma once

#include <optional>
#include <set>
#include <string>

namespace postern::sieve {

/// "keep", "discard", "fileinto X", "redirect X", "reject"; an implicit keep is a keep.
using Decision = std::set<std::string>;

struct LibsieveResult {
  enum class End { decided, refused, died };  // refused: it found an error in the script
  End end = End::died;
  Decision decision;
};

LibsieveResult run_libsieve(const std::string& script, const std::string& message,
                            const std::string& from, const std::string& to);

}  // namespace postern::sieve
