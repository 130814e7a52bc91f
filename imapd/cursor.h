// Cursor: walks over one complete command as the framer gives it: the line without its last CRLF,
// literals in place behind their "{n}\r\n". The functions of grammar.h take from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "lib/base/result.h"

namespace postern::imap {

/// How mailbox names stand on the wire (RFC 3501 §5.1.3, RFC 6855 §3).
enum class NameForm : std::uint8_t { modified_utf7, utf8 };

class Cursor {
 public:
  /// `held` are the offsets of literal heads whose octets were kept aside (APPEND's messages).
  explicit Cursor(std::string_view text, NameForm names = NameForm::modified_utf7,
                  std::span<const std::size_t> held = {})
      : text_(text), names_(names), held_(held) {}

  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
  /// The next octet, or -1 at the end.
  [[nodiscard]] int peek() const { return at_end() ? -1 : static_cast<unsigned char>(text_[at_]); }
  [[nodiscard]] std::size_t position() const { return at_; }
  [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }
  [[nodiscard]] NameForm names() const { return names_; }

  bool take(char c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  /// Exactly these octets, without regard to case.
  bool take_text(std::string_view text);
  /// A whole word: as take_text, and no further atom character follows.
  bool take_word(std::string_view word);
  /// The longest run of octets for which `accept` is true, perhaps empty.
  template <typename Accept>
  std::string_view take_while(Accept accept) {
    const std::size_t from = at_;
    while (at_ < text_.size() && accept(text_[at_])) ++at_;
    return text_.substr(from, at_ - from);
  }
  /// @error bad_syntax  fewer are left
  Result<std::string_view> take_octets(std::size_t count);

  /// The SP between arguments. @error bad_syntax
  Result<void> space();
  /// @error bad_syntax  `c` doesn't come next
  Result<void> expect(char c);
  /// @error bad_syntax  something is left
  Result<void> end() const;
  /// The literal head at `offset` has its octets elsewhere.
  [[nodiscard]] bool is_held(std::size_t offset) const;

  /// "expected X at octet N": for the text of a tagged BAD.
  [[nodiscard]] Error expected(std::string_view what) const;

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  NameForm names_;
  std::span<const std::size_t> held_;
};

/// ATOM-CHAR of RFC 9051 §9.
bool is_atom_char(char c);

}  // namespace postern::imap
