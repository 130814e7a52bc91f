// Mailbox patterns: "*" is any text, "%" any text without the separator (RFC 9051 §6.3.9).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace postern::imap {

class ListPattern {
 public:
  explicit ListPattern(std::string_view pattern);
  /// INBOX matches in any case. Time is at most the product of both lengths.
  [[nodiscard]] bool matches(std::string_view name) const;
  /// The complete levels before the first wildcard: "Lists" of "Lists/d%"; "" when there are none.
  [[nodiscard]] std::string fixed_levels() const;

 private:
  std::string pattern_;
};

bool matches_any(const std::vector<ListPattern>& patterns, std::string_view name);

}  // namespace postern::imap
