// The base subject of RFC 5256 §2.1, step by step as numbered there, with the ABNF of its §5.
#include <optional>

#include "lib/base/text.h"
#include "lib/mime/encoded_word.h"
#include "lib/mime/header.h"
#include "lib/mime/lexer.h"

namespace postern::mime {
namespace {

void skip_spaces(std::string_view& text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
}

// Step 1: tabs, line ends and runs of spaces become one space.
std::string normalize(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (!is_space(c)) {
      out.push_back(c);
    } else if (out.empty() || out.back() != ' ') {
      out.push_back(' ');
    }
  }
  return out;
}

// Step 2. subj-trailer = "(fwd)" / WSP
bool remove_trailer(std::string_view& text, bool& marked) {
  if (text.ends_with(' ')) {
    text.remove_suffix(1);
    return true;
  }
  constexpr std::string_view kForwarded = "(fwd)";
  if (text.size() < kForwarded.size() ||
      !iequals(text.substr(text.size() - kForwarded.size()), kForwarded))
    return false;
  text.remove_suffix(kForwarded.size());
  marked = true;
  return true;
}

// subj-blob = "[" *BLOBCHAR "]" *WSP; what follows it, or nothing.
std::optional<std::string_view> after_blob(std::string_view text) {
  if (!text.starts_with('[')) return std::nullopt;
  const std::size_t end = text.find_first_of("[]", 1);
  if (end == std::string_view::npos || text[end] != ']') return std::nullopt;
  text.remove_prefix(end + 1);
  skip_spaces(text);
  return text;
}

// subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"
std::optional<std::string_view> after_refwd(std::string_view text) {
  if (istarts_with(text, "fwd")) {
    text.remove_prefix(3);
  } else if (istarts_with(text, "re") || istarts_with(text, "fw")) {
    text.remove_prefix(2);
  } else {
    return std::nullopt;
  }
  skip_spaces(text);
  if (const auto rest = after_blob(text)) text = *rest;
  if (!text.starts_with(':')) return std::nullopt;
  text.remove_prefix(1);
  return text;
}

// Step 3. subj-leader = (*subj-blob subj-refwd) / WSP
bool remove_leader(std::string_view& text, bool& marked) {
  if (text.starts_with(' ')) {
    text.remove_prefix(1);
    return true;
  }
  std::string_view rest = text;
  while (const auto next = after_blob(rest)) rest = *next;
  const auto after = after_refwd(rest);
  if (!after) return false;
  text = *after;
  marked = true;
  return true;
}

// Step 4: a blob, if something is left without it.
bool remove_blob(std::string_view& text) {
  const auto rest = after_blob(text);
  if (!rest || rest->empty()) return false;
  text = *rest;
  return true;
}

// Step 6.
bool remove_forward(std::string_view& text, bool& marked) {
  constexpr std::string_view kHeader = "[fwd:";
  if (!istarts_with(text, kHeader) || !text.ends_with(']')) return false;
  text.remove_prefix(kHeader.size());
  text.remove_suffix(1);
  marked = true;
  return true;
}

}  // namespace

std::string base_subject(std::string_view subject, bool* reply_or_forward) {
  const std::string normal = normalize(decode_header(subject));
  std::string_view text = normal;
  bool marked = false;
  do {
    while (remove_trailer(text, marked)) {
    }
    while (remove_leader(text, marked) || remove_blob(text)) {
    }
  } while (remove_forward(text, marked));
  if (reply_or_forward != nullptr) *reply_or_forward = marked;
  return std::string(text);
}

}  // namespace postern::mime
