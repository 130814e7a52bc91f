// Modified UTF-7: UTF-16 in a base64 of its own between "&" and "-" (RFC 3501 §5.1.3).
#include "imapd/name_codec.h"

#include <cstdint>

#include "lib/base/text.h"

namespace postern::imap {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

bool is_plain(char c) { return c >= 0x20 && c <= 0x7e; }

void append_utf8(std::string& out, std::uint32_t c) {
  const auto put = [&out](std::uint32_t octet) { out += static_cast<char>(octet); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xC0 | c >> 6);
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3F));
  } else {
    put(0xF0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3F));
    put(0x80 | (c >> 6 & 0x3F));
  }
  put(0x80 | (c & 0x3F));
}

// The next code point of well-formed UTF-8.
std::uint32_t take_code_point(std::string_view& text) {
  const auto octet = [&text](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
  };
  const std::uint32_t lead = octet(0);
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  std::uint32_t c = length == 1 ? lead : lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) c = c << 6 | (octet(i) & 0x3F);
  text.remove_prefix(length);
  return c;
}

// Collects UTF-16 units and writes them six bits at a time.
class Shifted {
 public:
  explicit Shifted(std::string& out) : out_(out) {}
  void add(std::uint32_t code_point) {
    if (code_point < 0x10000) return unit(code_point);
    unit(0xD800 + ((code_point - 0x10000) >> 10));
    unit(0xDC00 + ((code_point - 0x10000) & 0x3FF));
  }
  void finish() {
    if (count_ > 0) out_ += kAlphabet[bits_ << (6 - count_) & 0x3F];
    out_ += '-';
  }

 private:
  void unit(std::uint32_t value) {
    bits_ = bits_ << 16 | value;
    count_ += 16;
    while (count_ >= 6) {
      count_ -= 6;
      out_ += kAlphabet[bits_ >> count_ & 0x3F];
    }
    bits_ &= (1U << count_) - 1;
  }
  std::string& out_;
  std::uint64_t bits_ = 0;
  unsigned count_ = 0;
};

// Appends UTF-16 units as they complete; knows half a surrogate pair.
class Units {
 public:
  explicit Units(std::string& out) : out_(out) {}
  [[nodiscard]] bool add(std::uint32_t unit) {
    if (high_ != 0) {
      if (unit < 0xDC00 || unit > 0xDFFF) return false;
      append_utf8(out_, 0x10000 + ((high_ - 0xD800) << 10) + (unit - 0xDC00));
      high_ = 0;
      return true;
    }
    if (unit >= 0xDC00 && unit <= 0xDFFF) return false;
    if (unit >= 0xD800 && unit <= 0xDBFF) {
      high_ = unit;
      return true;
    }
    // What can stand for itself must (RFC 3501 §5.1.3): one name, one form.
    if (unit >= 0x20 && unit <= 0x7e) return false;
    append_utf8(out_, unit);
    return true;
  }
  [[nodiscard]] bool complete() const { return high_ == 0; }

 private:
  std::string& out_;
  std::uint32_t high_ = 0;
};

Error broken() { return fail(Errc::bad_syntax, "a mailbox name is not modified UTF-7"); }

// The part between "&" and "-".
Result<void> decode_shifted(std::string_view base64, std::string& out) {
  Units units(out);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : base64) {
    const std::size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) return broken();
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 16) continue;
    count -= 16;
    if (!units.add(bits >> count & 0xFFFF)) return broken();
    bits &= (1U << count) - 1;
  }
  if (count >= 6 || bits != 0 || !units.complete()) return broken();
  return {};
}

bool is_atom(std::string_view text) {
  for (const char c : text)
    if (!is_atom_char(c)) return false;
  return !text.empty() && !iequals(text, "NIL");
}

bool needs_literal(std::string_view text) {
  for (const char c : text)
    if (c == '\r' || c == '\n' || c == '\0') return true;
  return false;
}

}  // namespace

std::string to_modified_utf7(std::string_view utf8) {
  std::string out;
  while (!utf8.empty()) {
    if (is_plain(utf8.front())) {
      out += utf8.front();
      if (utf8.front() == '&') out += '-';
      utf8.remove_prefix(1);
      continue;
    }
    out += '&';
    Shifted shifted(out);
    while (!utf8.empty() && !is_plain(utf8.front())) shifted.add(take_code_point(utf8));
    shifted.finish();
  }
  return out;
}

Result<std::string> from_modified_utf7(std::string_view wire) {
  std::string out;
  while (!wire.empty()) {
    const char c = wire.front();
    if (!is_plain(c)) return broken();
    wire.remove_prefix(1);
    if (c != '&') {
      out += c;
      continue;
    }
    const std::size_t end = wire.find('-');
    if (end == std::string_view::npos) return broken();
    if (end == 0)
      out += '&';
    else
      TRY(decode_shifted(wire.substr(0, end), out));
    wire.remove_prefix(end + 1);
  }
  return out;
}

Result<std::string> decode_name(std::string_view wire, NameForm form) {
  if (form == NameForm::modified_utf7 && is_ascii(wire)) return from_modified_utf7(wire);
  if (!is_utf8(wire)) return fail(Errc::bad_syntax, "a mailbox name is not UTF-8");
  return std::string(wire);
}

std::string encode_name(std::string_view utf8, NameForm form) {
  std::string wire = form == NameForm::utf8 ? std::string(utf8) : to_modified_utf7(utf8);
  if (is_atom(wire)) return wire;
  if (needs_literal(wire)) return fmt::format("{{{}}}\r\n{}", wire.size(), wire);
  std::string out = "\"";
  for (const char c : wire) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
  return out;
}

}  // namespace postern::imap
