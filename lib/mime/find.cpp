// Candidates are places where the needle's first and last octets both fit, in either case; sixteen
// places at a time.
#include "lib/mime/find.h"

#include <cstring>

#include "lib/base/text.h"
#include "lib/mime/charset.h"
#include "lib/mime/scan.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace postern::mime {
namespace {

bool matches_at(std::string_view haystack, std::size_t at, std::string_view needle) {
  return iequals(haystack.substr(at, needle.size()), needle);
}

std::size_t find_slowly(std::string_view haystack, std::string_view needle, std::size_t from) {
  for (std::size_t at = from; at + needle.size() <= haystack.size(); ++at)
    if (ascii_lower(haystack[at]) == ascii_lower(needle[0]) && matches_at(haystack, at, needle))
      return at;
  return std::string_view::npos;
}

#ifdef __SSE2__

struct EitherCase {
  __m128i lower;
  __m128i upper;

  explicit EitherCase(char c)
      : lower(_mm_set1_epi8(ascii_lower(c))), upper(_mm_set1_epi8(ascii_upper(c))) {}
  [[nodiscard]] __m128i at(const char* block) const {
    const __m128i octets = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block));
    return _mm_or_si128(_mm_cmpeq_epi8(octets, lower), _mm_cmpeq_epi8(octets, upper));
  }
};

#endif

}  // namespace

std::size_t find_ascii_casemap(std::string_view haystack, std::string_view needle) {
  if (needle.empty()) return 0;
  if (needle.size() > haystack.size()) return std::string_view::npos;
  std::size_t at = 0;
#ifdef __SSE2__
  constexpr std::size_t kBlock = 16;
  const EitherCase first(needle.front());
  const EitherCase last(needle.back());
  for (; at + needle.size() - 1 + kBlock <= haystack.size(); at += kBlock) {
    const char* block = haystack.data() + at;
    const __m128i both = _mm_and_si128(first.at(block), last.at(block + needle.size() - 1));
    for (int mask = _mm_movemask_epi8(both); mask != 0; mask &= mask - 1) {
      const std::size_t candidate =
          at + static_cast<std::size_t>(__builtin_ctz(static_cast<unsigned>(mask)));
      if (matches_at(haystack, candidate, needle)) return candidate;
    }
  }
#endif
  return find_slowly(haystack, needle, at);
}

CasemapNeedle::CasemapNeedle(std::string_view needle)
    : prepared_(casemap(needle)), ascii_(!has_eight_bit(prepared_)) {}

bool CasemapNeedle::in(std::string_view haystack) const {
  if (prepared_.empty()) return true;
  // ASCII characters compare the same in both collations, and decompositions only add characters.
  if (ascii_ && find_ascii_casemap(haystack, prepared_) != std::string_view::npos) return true;
  if (!has_eight_bit(haystack)) return false;
  return casemap(haystack).find(prepared_) != std::string::npos;
}

bool contains_casemap(std::string_view haystack, std::string_view needle) {
  return CasemapNeedle(needle).in(haystack);
}

}  // namespace postern::mime
