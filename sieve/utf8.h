// Single characters of UTF-8 text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::sieve {

/// Octets of the character at the start of `text` (not empty); 1 for what is not UTF-8.
std::size_t utf8_length(std::string_view text);
/// Characters of `text`.
std::size_t utf8_count(std::string_view text);
/// At most `octets` of `text`, cut between characters.
std::string_view utf8_cut(std::string_view text, std::size_t octets);
void append_utf8(std::uint32_t code_point, std::string& out);

}  // namespace postern::sieve
