// The tokens of RFC 5228 §8.1, one function a kind.
#include "sieve/lexer.h"

#include <fmt/format.h>

#include <limits>

#include "lib/base/text.h"

namespace postern::sieve {
namespace {

// RFC 5228 §2.4.1 asks for 31 bits; a message may be larger than that.
constexpr std::uint64_t kMaxNumber = std::numeric_limits<std::int64_t>::max();

bool identifier_start(char c) { return ascii_alpha(c) || c == '_'; }
bool identifier_char(char c) { return identifier_start(c) || ascii_digit(c); }

std::uint64_t quantifier(char c) {
  switch (ascii_upper(c)) {
    case 'K':
      return 1ULL << 10;
    case 'M':
      return 1ULL << 20;
    case 'G':
      return 1ULL << 30;
    default:
      return 0;
  }
}

std::string printable(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte < 0x20 || byte >= 0x7F) return fmt::format("octet 0x{:02X}", byte);
  return fmt::format("'{}'", c);
}

}  // namespace

std::string_view name_of(Token::Kind kind) {
  switch (kind) {
    case Token::Kind::end:
      return "end of script";
    case Token::Kind::identifier:
      return "identifier";
    case Token::Kind::tag:
      return "tag";
    case Token::Kind::number:
      return "number";
    case Token::Kind::string:
      return "string";
    case Token::Kind::semicolon:
      return "';'";
    case Token::Kind::comma:
      return "','";
    case Token::Kind::left_brace:
      return "'{'";
    case Token::Kind::right_brace:
      return "'}'";
    case Token::Kind::left_paren:
      return "'('";
    case Token::Kind::right_paren:
      return "')'";
    case Token::Kind::left_bracket:
      return "'['";
    case Token::Kind::right_bracket:
      return "']'";
    case Token::Kind::error:
      break;
  }
  return "error";
}

Lexer::Lexer(std::string_view script, const Limits& limits) : script_(script), limits_(limits) {
  // Editors on Windows put a byte order mark in front of UTF-8 text.
  if (script_.starts_with("\xEF\xBB\xBF")) pos_ = 3;
}

char Lexer::peek(std::size_t ahead) const {
  return pos_ + ahead < script_.size() ? script_[pos_ + ahead] : '\0';
}

char Lexer::advance() {
  const char c = script_[pos_++];
  if (c == '\n') {
    ++at_.line;
    at_.column = 1;
  } else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80 && c != '\r') {
    ++at_.column;
  }
  return c;
}

void Lexer::advance_by(std::size_t count) {
  while (count-- > 0) advance();
}

Token Lexer::error(Position at, std::string text) {
  failed_ = Token{Token::Kind::error, at, std::move(text), 0};
  return *failed_;
}

Token Lexer::next() {
  if (failed_) return *failed_;
  previous_end_ = at_;
  if (auto problem = skip_blank()) return *problem;
  if (at_end()) return Token{Token::Kind::end, at_, {}, 0};
  const char c = peek();
  if (identifier_start(c) || c == ':') return word();
  if (ascii_digit(c)) return number();
  if (c == '"') return quoted();
  return punctuation();
}

std::optional<Token> Lexer::skip_blank() {
  while (!at_end()) {
    const char c = peek();
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      advance();
    } else if (c == '#') {
      skip_line();
    } else if (c == '/' && peek(1) == '*') {
      if (auto problem = skip_bracket_comment()) return problem;
    } else {
      break;
    }
  }
  return std::nullopt;
}

void Lexer::skip_line() {
  while (!at_end() && peek() != '\n') advance();
}

std::optional<Token> Lexer::skip_bracket_comment() {
  const Position start = at_;
  advance_by(2);
  while (!(peek() == '*' && peek(1) == '/')) {
    if (at_end()) return error(start, "this comment is never closed: expected '*/'");
    advance();
  }
  advance_by(2);
  return std::nullopt;
}

// identifier = (ALPHA / "_") *(ALPHA / DIGIT / "_"); tag = ":" identifier
Token Lexer::word() {
  const Position start = at_;
  const bool is_tag = peek() == ':';
  if (is_tag) advance();
  if (is_tag && !identifier_start(peek())) return error(start, "expected a tag's name after ':'");
  std::string text;
  while (identifier_char(peek())) text += advance();
  if (!is_tag && iequals(text, "text") && peek() == ':') return multi_line_text(start);
  return Token{is_tag ? Token::Kind::tag : Token::Kind::identifier, start, std::move(text), 0};
}

// number = 1*DIGIT [ QUANTIFIER ]
Token Lexer::number() {
  const Position start = at_;
  std::string digits;
  while (ascii_digit(peek())) digits += advance();
  const auto value = parse_u64(digits);
  std::uint64_t factor = quantifier(peek());
  if (factor == 0) factor = 1;
  if (factor != 1) advance();
  if (identifier_char(peek()))
    return error(start, "a number may end in K, M or G, nothing else: expected a space behind it");
  if (!value || *value > kMaxNumber / factor)
    return error(start, "this number is too large (at most 9223372036854775807)");
  return Token{Token::Kind::number, start, {}, *value * factor};
}

// quoted-string; a backslash before anything but '"' and '\' is dropped (RFC 5228 §2.4.2).
Token Lexer::quoted() {
  const Position start = at_;
  advance();
  std::string text;
  while (!at_end() && peek() != '"') {
    char c = advance();
    if (c == '\0') return error(start, "a string may not hold the octet 0");
    if (c == '\\') {
      if (at_end()) break;
      c = advance();
    }
    // Strings hold CRLF whichever way the script's lines end (RFC 5228 §8.1).
    if (c == '\n' && !text.ends_with('\r')) text += '\r';
    text += c;
  }
  if (at_end()) return error(start, "this string is never closed: expected '\"'");
  advance();
  if (text.size() > limits_.string_octets) return error(start, "this string is too long");
  if (!is_utf8(text)) return error(start, "this string is not valid UTF-8");
  return Token{Token::Kind::string, start, std::move(text), 0};
}

// multi-line = "text:" *(SP / HTAB) (hash-comment / CRLF) *(multiline-literal /
//              multiline-dotstart) "." CRLF
Token Lexer::multi_line_text(Position start) {
  advance();
  while (peek() == ' ' || peek() == '\t') advance();
  if (peek() == '#') skip_line();
  if (peek() == '\r') advance();
  if (peek() != '\n') return error(at_, "expected the end of the line after 'text:'");
  advance();
  std::string text;
  for (;;) {
    if (at_end()) return error(start, "this text: is never closed: expected a line with only '.'");
    std::string line;
    while (!at_end() && peek() != '\n') line += advance();
    if (!at_end()) advance();
    if (line.ends_with('\r')) line.pop_back();
    if (line == ".") break;
    // RFC 5228 §2.4.2: ".foo" is not dot-stuffed and means itself.
    text.append(line.starts_with("..") ? std::string_view(line).substr(1) : line).append("\r\n");
    if (text.size() > limits_.string_octets) return error(start, "this text is too long");
  }
  if (text.find('\0') != std::string::npos) return error(start, "a text may not hold the octet 0");
  if (!is_utf8(text)) return error(start, "this text is not valid UTF-8");
  return Token{Token::Kind::string, start, std::move(text), 0};
}

Token Lexer::punctuation() {
  const Position start = at_;
  const char c = advance();
  const auto token = [&](Token::Kind kind) { return Token{kind, start, {}, 0}; };
  switch (c) {
    case ';':
      return token(Token::Kind::semicolon);
    case ',':
      return token(Token::Kind::comma);
    case '{':
      return token(Token::Kind::left_brace);
    case '}':
      return token(Token::Kind::right_brace);
    case '(':
      return token(Token::Kind::left_paren);
    case ')':
      return token(Token::Kind::right_paren);
    case '[':
      return token(Token::Kind::left_bracket);
    case ']':
      return token(Token::Kind::right_bracket);
    default:
      return error(start, fmt::format("unexpected {}: expected a command, a test or an argument",
                                      printable(c)));
  }
}

}  // namespace postern::sieve
