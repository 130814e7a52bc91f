// What the compiler says of a script: place and text, written for the script's author.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace postern::sieve {

/// Lines and columns count from 1; a column is a Unicode character, a tab is one.
struct Position {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
  friend bool operator==(const Position&, const Position&) = default;
};

enum class Severity : std::uint8_t { error, warning };

struct Diagnostic {
  Severity severity = Severity::error;
  Position at;
  std::string text;
};

using Diagnostics = std::vector<Diagnostic>;

}  // namespace postern::sieve
