// Responder: see responder.h.
#include "imapd/responder.h"

#include <charconv>

#include "lib/base/text.h"

namespace postern::imap {

char* put_number(char* at, std::uint64_t value) { return std::to_chars(at, at + 20, value).ptr; }

void Responder::write(std::uint64_t number) {
  char digits[20];
  stream_.write({digits, static_cast<std::size_t>(put_number(digits, number) - digits)});
}

std::string Responder::tagged_line(std::string_view tag, std::string_view status,
                                   std::string_view text) {
  std::string line = fmt::format("{} {} ", tag, status);
  if (!code_.empty()) line += fmt::format("[{}] ", code_);
  code_.clear();
  line += text;
  line += "\r\n";
  return line;
}

void Responder::tagged(std::string_view tag, std::string_view status, std::string_view text) {
  stream_.write(tagged_line(tag, status, text));
}

void append_string(std::string& out, std::string_view text, bool utf8) {
  bool quotable = utf8 ? is_utf8(text) : is_ascii(text);
  for (const char c : text) quotable = quotable && c != '\r' && c != '\n' && c != '\0';
  if (!quotable) {
    out += fmt::format("{{{}}}\r\n", text.size());
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

}  // namespace postern::imap
