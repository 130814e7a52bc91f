// Tokens of structured header fields: atoms, quoted-strings and comments (RFC 5322 §3.2), tolerant
// and linear. Line ends count as white space, so values need not be unfolded first.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace postern::mime {

constexpr bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

class Lexer {
 public:
  explicit Lexer(std::string_view in) : in_(in) {}

  [[nodiscard]] bool at_end() const { return at_ >= in_.size(); }
  [[nodiscard]] char peek() const { return at_end() ? '\0' : in_[at_]; }
  [[nodiscard]] bool looking_at(char c) const { return !at_end() && in_[at_] == c; }
  [[nodiscard]] std::size_t offset() const { return at_; }
  [[nodiscard]] std::string_view from(std::size_t begin) const {
    return in_.substr(begin, at_ - begin);
  }
  void skip() { ++at_; }
  bool take(char c) {
    if (!looking_at(c)) return false;
    ++at_;
    return true;
  }

  void skip_space() {
    while (!at_end() && is_space(in_[at_])) ++at_;
  }
  /// White space and comments. `comment`, if given, receives the text of the last one.
  void skip_cfws(std::string* comment = nullptr);

  /// Octets up to the first of `stops`, white space, or the end; at most `longest`.
  std::string_view word(std::string_view stops, std::size_t longest = std::string_view::npos);

  /// At a '"': appends the content without quoting and line ends; an open one goes to the end.
  void quoted_string(std::string& out);

 private:
  bool skip_comment(std::string* text);

  std::string_view in_;
  std::size_t at_ = 0;
  bool open_comment_ = false;  // one was never closed: from then on "(" is white space
};

}  // namespace postern::mime
