// Cursor: see cursor.h. Error texts are meant for the client: they go out behind a tagged BAD.
#include "imapd/cursor.h"

#include <algorithm>

#include "lib/base/text.h"

namespace postern::imap {

// ATOM-CHAR = <any CHAR except atom-specials>
// atom-specials = "(" / ")" / "{" / SP / CTL / list-wildcards / quoted-specials / resp-specials
bool is_atom_char(char c) {
  if (c <= ' ' || c == '\x7f') return false;  // SP, CTL, and octets over 127 (char is signed)
  return std::string_view("(){%*\"\\]").find(c) == std::string_view::npos;
}

bool Cursor::take_text(std::string_view text) {
  if (!istarts_with(rest(), text)) return false;
  at_ += text.size();
  return true;
}

bool Cursor::take_word(std::string_view word) {
  if (!istarts_with(rest(), word)) return false;
  const std::size_t after = at_ + word.size();
  if (after < text_.size() && is_atom_char(text_[after])) return false;
  at_ = after;
  return true;
}

Result<std::string_view> Cursor::take_octets(std::size_t count) {
  if (text_.size() - at_ < count) return expected("more octets");
  const std::string_view octets = text_.substr(at_, count);
  at_ += count;
  return octets;
}

Result<void> Cursor::space() {
  if (!take(' ')) return expected("a space");
  return {};
}

Result<void> Cursor::expect(char c) {
  if (!take(c)) return expected(std::string_view(&c, 1));
  return {};
}

Result<void> Cursor::end() const {
  if (!at_end()) return expected("the end of the command");
  return {};
}

bool Cursor::is_held(std::size_t offset) const {
  return std::find(held_.begin(), held_.end(), offset) != held_.end();
}

Error Cursor::expected(std::string_view what) const {
  return fail(Errc::bad_syntax, "expected {} at octet {}", what, at_ + 1);
}

}  // namespace postern::imap
