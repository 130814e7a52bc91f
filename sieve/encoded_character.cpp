// Encoded characters are decoded when the script is compiled, before variables are expanded
// (RFC 5229 §3.1).
#include "sieve/encoded_character.h"

#include <optional>

#include "lib/base/text.h"
#include "sieve/utf8.h"

namespace postern::sieve {
namespace {

bool blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// The hex numbers between "${hex:" and "}", separated by blanks; each of 1..max_digits digits.
class HexWords {
 public:
  HexWords(std::string_view text, std::size_t max_digits) : rest_(text), max_digits_(max_digits) {}

  // Nothing at the end or at a word that is no such number; then bad() tells which.
  std::optional<std::uint32_t> next() {
    while (!rest_.empty() && blank(rest_.front())) rest_.remove_prefix(1);
    std::uint32_t value = 0;
    std::size_t digits = 0;
    std::size_t significant = 0;
    while (digits < rest_.size() && !blank(rest_[digits])) {
      const int digit = hex_digit(rest_[digits++]);
      if (significant > 0 || digit > 0) ++significant;
      bad_ = bad_ || digit < 0 || significant > max_digits_;
      if (bad_) return std::nullopt;
      value = value << 4 | static_cast<std::uint32_t>(digit);
    }
    rest_.remove_prefix(digits);
    if (digits == 0) return std::nullopt;
    return value;
  }
  [[nodiscard]] bool bad() const { return bad_; }

 private:
  static int hex_digit(char c) {
    if (ascii_digit(c)) return c - '0';
    const char lower = ascii_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
  }
  std::string_view rest_;
  std::size_t max_digits_;
  bool bad_ = false;
};

// encoded-arb-octets = "${hex:" hex-pair-seq "}"; false: not of this form, keep the text
bool decode_octets(std::string_view body, std::string& out) {
  HexWords words(body, 2);
  std::string octets;
  while (const auto value = words.next()) octets += static_cast<char>(*value);
  if (words.bad() || octets.empty()) return false;
  out += octets;
  return true;
}

// encoded-unicode-char = "${unicode:" unicode-hex-seq "}"
Result<bool> decode_unicode(std::string_view body, std::string& out) {
  HexWords words(body, 6);
  std::string characters;
  while (const auto value = words.next()) {
    if (*value > 0x10FFFF || (*value >= 0xD800 && *value < 0xE000))
      return fail(Errc::bad_syntax, "{:X} is not a Unicode character", *value);
    append_utf8(*value, characters);
  }
  if (words.bad() || characters.empty()) return false;
  out += characters;
  return true;
}

// `text` starts with "${". Gives the octets taken, 0 if it is no encoded character.
Result<std::size_t> decode_one(std::string_view text, std::string& out) {
  const auto close = text.find('}');
  if (close == std::string_view::npos) return std::size_t{0};
  const auto body = text.substr(2, close - 2);
  bool done = false;
  if (istarts_with(body, "hex:"))
    done = decode_octets(body.substr(4), out);
  else if (istarts_with(body, "unicode:"))
    done = TRY(decode_unicode(body.substr(8), out));
  return done ? close + 1 : std::size_t{0};
}

}  // namespace

Result<std::string> decode_encoded_characters(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto at = text.find("${");
    out += text.substr(0, at);
    if (at == std::string_view::npos) break;
    text.remove_prefix(at);
    const auto taken = TRY(decode_one(text, out));
    if (taken == 0) out += "${";
    text.remove_prefix(taken == 0 ? 2 : taken);
  }
  if (!is_utf8(out)) return fail(Errc::bad_syntax, "the encoded octets are not valid UTF-8");
  if (out.find('\0') != std::string::npos)
    return fail(Errc::bad_syntax, "the octet 0 may not be encoded");
  return out;
}

}  // namespace postern::sieve
