// Mailbox patterns: see list_pattern.h.
#include "imapd/list_pattern.h"

#include <vector>

namespace postern::imap {
namespace {

constexpr char kSeparator = '/';
constexpr std::string_view kInbox = "INBOX";

// RFC 9051 §5.1: INBOX has no case, also as the first level of what is below it.
bool is_in_inbox(std::string_view name) {
  return name.starts_with(kInbox) &&
         (name.size() == kInbox.size() || name[kInbox.size()] == kSeparator);
}

// One row of the table "the pattern so far matches the first n octets of the name", for each octet
// of the pattern: linear memory, no backtracking.
bool matches_octets(std::string_view pattern, std::string_view name) {
  const std::size_t without_case = is_in_inbox(name) ? kInbox.size() : 0;
  std::vector<char> row(name.size() + 1, 0);
  row[0] = 1;
  for (const char p : pattern) {
    if (p == '*' || p == '%') {
      for (std::size_t i = 1; i <= name.size(); ++i)
        if (row[i - 1] != 0 && (p == '*' || name[i - 1] != kSeparator)) row[i] = 1;
      continue;
    }
    const char upper = p >= 'a' && p <= 'z' ? static_cast<char>(p - 'a' + 'A') : p;
    for (std::size_t i = name.size(); i > 0; --i)
      row[i] = row[i - 1] != 0 && name[i - 1] == (i <= without_case ? upper : p) ? 1 : 0;
    row[0] = 0;
  }
  return row[name.size()] != 0;
}

}  // namespace

// Neighbouring wildcards are one: "**" and "*%" are "*", "%%" is "%".
ListPattern::ListPattern(std::string_view pattern) {
  for (const char c : pattern) {
    const bool wild = c == '*' || c == '%';
    const char last = pattern_.empty() ? '\0' : pattern_.back();
    const bool after_wild = last == '*' || last == '%';
    if (wild && after_wild)
      pattern_.back() = c == '*' ? '*' : last;
    else
      pattern_ += c;
  }
}

bool ListPattern::matches(std::string_view name) const {
  // What nearly all clients ask.
  if (pattern_ == "*") return true;
  if (pattern_ == "%") return name.find(kSeparator) == std::string_view::npos;
  return matches_octets(pattern_, name);
}

bool matches_any(const std::vector<ListPattern>& patterns, std::string_view name) {
  for (const ListPattern& pattern : patterns)
    if (pattern.matches(name)) return true;
  return false;
}

std::string ListPattern::fixed_levels() const {
  const std::size_t wild = pattern_.find_first_of("*%");
  const std::size_t slash = pattern_.rfind(kSeparator, wild);
  if (wild == std::string::npos) return pattern_;
  return slash == std::string::npos ? "" : pattern_.substr(0, slash);
}

}  // namespace postern::imap
