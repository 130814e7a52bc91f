// The passes over raw octets that parsing spends its time in, with SSE2 where there is one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postern::mime {

bool has_eight_bit(std::string_view bytes);

/// Number of LFs.
std::uint64_t count_lines(std::string_view bytes);

struct Dashes {
  std::size_t at = 0;       // of the first "-" of a line that begins with "--"; or the size
  std::uint64_t lines = 0;  // LFs between the start of the search and `at`
};

/// The next line that begins with "--", from `from` on, which is the start of a line.
Dashes find_dashes(std::string_view bytes, std::size_t from);

}  // namespace postern::mime
