// Turns a script into tokens (RFC 5228 §8.1). Tokens own their text: escapes, dot-stuffing and
// number quantifiers are already undone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sieve/diagnostic.h"
#include "sieve/limits.h"

namespace postern::sieve {

struct Token {
  enum class Kind : std::uint8_t {
    end,
    identifier,
    tag,  // text without the colon
    number,
    string,
    semicolon,
    comma,
    left_brace,
    right_brace,
    left_paren,
    right_paren,
    left_bracket,
    right_bracket,
    error,  // text says what is wrong
  };
  Kind kind = Kind::end;
  Position at;
  std::string text;
  std::uint64_t number = 0;  // bytes where a quantifier stands: 1K is 1024
};

/// How a token is named in a diagnostic, e.g. "';'" or "string".
std::string_view name_of(Token::Kind kind);

class Lexer {
 public:
  /// @param script  must outlive the lexer; CRLF and bare LF both end a line
  Lexer(std::string_view script, const Limits& limits);

  /// The next token; after an error or the end the same again.
  Token next();
  /// Where the token before the current position ended, for "expected ';' here".
  [[nodiscard]] Position end_of_previous() const { return previous_end_; }

 private:
  [[nodiscard]] bool at_end() const { return pos_ >= script_.size(); }
  [[nodiscard]] char peek(std::size_t ahead = 0) const;
  char advance();
  void advance_by(std::size_t count);
  std::optional<Token> skip_blank();
  std::optional<Token> skip_bracket_comment();
  void skip_line();
  Token word();
  Token number();
  Token quoted();
  Token multi_line_text(Position start);
  Token punctuation();
  Token error(Position at, std::string text);

  std::string_view script_;
  const Limits& limits_;
  std::size_t pos_ = 0;
  Position at_;
  Position previous_end_;
  std::optional<Token> failed_;
};

}  // namespace postern::sieve
