// How one test compares its values with its keys (RFC 5228 §2.7, RFC 5231, RFC 6134 §2.2).
#pragma once

#include <cstddef>
#include <string_view>

#include "sieve/run.h"

namespace postern::sieve {

/// Takes the values of a test one after the other.
class Match {
 public:
  /// All outlive this. The tags of `code` say how to compare.
  Match(Run& run, const Code& code, const Value& keys)
      : run_(run), code_(code), keys_(run.strings(keys)) {}

  /// Whether the value fits some key; with :count it is only counted. Sets the match variables
  /// (RFC 5229 §3.2).
  Result<bool> takes(std::string_view value);
  /// When no value did: with :count, whether their number fits.
  Result<bool> at_end();

 private:
  Result<bool> fits(std::string_view value, std::string_view key, std::size_t index);
  Result<bool> fits_glob(std::string_view value, std::string_view key, std::size_t index);
  Result<bool> fits_regex(std::string_view value, std::string_view key, std::size_t index);

  Run& run_;
  const Code& code_;
  const Strings keys_;
  std::size_t count_ = 0;  // of the values
};

}  // namespace postern::sieve
