// Patterns of :matches (RFC 5228 §2.7.1), taken apart once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "sieve/comparator.h"

namespace postern::sieve {

/// A pattern with '*', '?' and '\'. '*' takes as little as it can; '?' is one character, with
/// i;octet one octet.
class Glob {
 public:
  Glob(Comparator comparator, std::string_view pattern);

  /// @param captures  filled on success if not null
  /// @param work      goes up by the number of attempts
  /// @error limit     `work` came over `max_work`
  Result<bool> matches(std::string_view text, Captures* captures, std::uint64_t& work,
                       std::uint64_t max_work) const;

  struct Piece {
    enum class Kind : std::uint8_t { literal, one, any };
    Kind kind;
    std::string literal;
  };

 private:
  Comparator comparator_;
  std::vector<Piece> pieces_;
};

}  // namespace postern::sieve
