// Regular expressions of scripts (draft-ietf-sieve-regex), on RE2: linear time, bounded memory.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "sieve/comparator.h"
#include "sieve/limits.h"

namespace re2 {
class RE2;
}

namespace postern::sieve {

class Regex {
 public:
  /// @error bad_syntax  the expression is wrong, or uses what RE2 lacks (back-references)
  /// @error too_big     over a limit
  static Result<std::shared_ptr<const Regex>> open(std::string_view expression,
                                                   Comparator comparator, const Limits& limits);
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;
  ~Regex();

  /// Finds the expression anywhere in `text`; [0] of the captures is what it matched.
  bool search(std::string_view text, Captures* captures) const;

 private:
  Regex();
  std::unique_ptr<re2::RE2> re2_;
};

/// `text` with a backslash before each character that an expression would take as an operator.
std::string quote_regex(std::string_view text);

}  // namespace postern::sieve
