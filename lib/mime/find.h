// Substring search without regard to case: i;ascii-casemap (RFC 4790 §9.2) and i;unicode-casemap
// (RFC 5051). Any octets; linear in practice, no allocation for ASCII text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace postern::mime {

/// i;ascii-casemap. @return offset of the first match or npos; an empty needle matches at 0.
std::size_t find_ascii_casemap(std::string_view haystack, std::string_view needle);

/// i;unicode-casemap: whether `needle` occurs in `haystack`, both UTF-8.
bool contains_casemap(std::string_view haystack, std::string_view needle);

/// The same with the needle prepared once; for SEARCH over many messages.
class CasemapNeedle {
 public:
  explicit CasemapNeedle(std::string_view needle);
  [[nodiscard]] bool in(std::string_view haystack) const;

 private:
  std::string prepared_;
  bool ascii_;  // then an ASCII haystack needs no preparation
};

}  // namespace postern::mime
