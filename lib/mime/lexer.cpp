// Comments nest and may be left open (RFC 5322 §3.2.2); neither recursion nor a second pass is
// needed for them.
#include "lib/mime/lexer.h"

#include <algorithm>

namespace postern::mime {

void Lexer::skip_cfws(std::string* comment) {
  while (!at_end()) {
    if (is_space(in_[at_])) {
      ++at_;
    } else if (in_[at_] != '(' || !skip_comment(comment)) {
      return;
    }
  }
}

std::string_view Lexer::word(std::string_view stops, std::size_t longest) {
  const std::size_t begin = at_;
  const std::size_t end = begin + std::min(in_.size() - begin, longest);
  while (at_ < end && !is_space(in_[at_]) && stops.find(in_[at_]) == std::string_view::npos) ++at_;
  return from(begin);
}

void Lexer::quoted_string(std::string& out) {
  for (++at_; !at_end(); ++at_) {
    char c = in_[at_];
    if (c == '"') {
      ++at_;
      return;
    }
    if (c == '\\' && at_ + 1 < in_.size()) c = in_[++at_];
    if (c != '\r' && c != '\n') out.push_back(c);
  }
}

// At a "(". An open one is stepped over like white space, and the search for its end isn't
// repeated: the text behind it may still hold what matters.
bool Lexer::skip_comment(std::string* text) {
  if (open_comment_) {
    ++at_;
    return true;
  }
  std::string content;
  std::size_t depth = 0;
  for (std::size_t at = at_; at < in_.size(); ++at) {
    char c = in_[at];
    if (c == ')' && --depth == 0) {
      at_ = at + 1;
      if (text != nullptr) *text = std::move(content);
      return true;
    }
    if (c == '(' && depth++ == 0) continue;
    if (c == '\\' && at + 1 < in_.size()) c = in_[++at];
    if (text != nullptr && c != '\r' && c != '\n') content.push_back(c);
  }
  open_comment_ = true;
  ++at_;
  return true;
}

}  // namespace postern::mime
