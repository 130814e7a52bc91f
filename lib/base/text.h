// ASCII text: case, numbers, hex, base64, splitting. Locale is never asked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

namespace postern {

constexpr char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr char ascii_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
constexpr bool ascii_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool ascii_alpha(char c) { return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z'; }

std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);
/// Equal without regard to the case of ASCII letters.
bool iequals(std::string_view a, std::string_view b);
bool istarts_with(std::string_view text, std::string_view prefix);
/// Orders like iequals; for maps with case-insensitive keys.
struct ILess {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const;
};

/// Without spaces and tabs at both ends.
std::string_view trim(std::string_view text);
/// Pieces between separators, empty ones included; "" gives one empty piece.
std::vector<std::string_view> split(std::string_view text, char separator);

/// The whole of `text` as a decimal number of digits only; nothing on overflow, sign or rest.
std::optional<std::uint64_t> parse_u64(std::string_view text);
std::optional<std::uint32_t> parse_u32(std::string_view text);

std::string to_hex(std::string_view bytes);
/// @error bad_syntax  odd length or not a hex digit
Result<std::string> from_hex(std::string_view text);

/// RFC 4648 §4, with padding.
std::string to_base64(std::string_view bytes);
/// @error bad_syntax  not canonical base64 (RFC 4648 §4), padding required
Result<std::string> from_base64(std::string_view text);

/// Well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates, at most U+10FFFF.
bool is_utf8(std::string_view text);
bool is_ascii(std::string_view text);
/// Whether UTF-8 has a control character: C0, DEL, C1, or the line and paragraph separators U+2028
/// and U+2029, which names may have no more (RFC 5804 §1.6, RFC 6855 §3).
bool has_controls(std::string_view utf8);

}  // namespace postern
