// Single characters of UTF-8 text (RFC 3629).
#include "sieve/utf8.h"

#include <algorithm>

namespace postern::sieve {
namespace {

bool continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

std::size_t announced_length(char c) {
  const auto lead = static_cast<unsigned char>(c);
  if (lead >= 0xF0) return 4;
  if (lead >= 0xE0) return 3;
  return lead >= 0xC2 ? 2 : 1;
}

}  // namespace

std::size_t utf8_length(std::string_view text) {
  const std::size_t length = announced_length(text.front());
  if (length > text.size()) return 1;
  return std::all_of(text.begin() + 1, text.begin() + static_cast<std::ptrdiff_t>(length),
                     continuation)
             ? length
             : 1;
}

std::size_t utf8_count(std::string_view text) {
  std::size_t count = 0;
  while (!text.empty()) {
    text.remove_prefix(utf8_length(text));
    ++count;
  }
  return count;
}

std::string_view utf8_cut(std::string_view text, std::size_t octets) {
  if (octets >= text.size()) return text;
  while (octets > 0 && continuation(text[octets])) --octets;
  return text.substr(0, octets);
}

void append_utf8(std::uint32_t c, std::string& out) {
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | (c >> shift & 0x3F)); };
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | c >> 6);
    tail(0);
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | c >> 12);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0 | c >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

}  // namespace postern::sieve
