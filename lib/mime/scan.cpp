// Sixteen octets at a time; the tails one by one.
#include "lib/mime/scan.h"

#include <algorithm>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace postern::mime {
namespace {

#ifdef __SSE2__

constexpr std::size_t kBlock = 16;

__m128i load(const char* at) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at)); }

__m128i equal(const char* at, char wanted) {
  return _mm_cmpeq_epi8(load(at), _mm_set1_epi8(wanted));
}

// Adds up the sixteen octet counters of `counters`.
std::uint64_t sum(__m128i counters) {
  const __m128i sums = _mm_sad_epu8(counters, _mm_setzero_si128());
  return static_cast<std::uint64_t>(_mm_cvtsi128_si64(sums)) +
         static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(sums, sums)));
}

// An octet counter overflows after 255 blocks, so a run is at most that long.
std::size_t run_end(std::size_t at, std::size_t blocks_end) {
  return std::min(blocks_end, at + 255 * kBlock);
}

#endif

bool begins_with_dashes(std::string_view bytes, std::size_t at) {
  return at + 1 < bytes.size() && bytes[at] == '-' && bytes[at + 1] == '-';
}

// The part of find_dashes that needs no look-ahead in blocks.
Dashes find_dashes_slowly(std::string_view bytes, std::size_t from, std::uint64_t lines) {
  for (std::size_t lf = bytes.find('\n', from); lf != std::string_view::npos;
       lf = bytes.find('\n', lf + 1)) {
    ++lines;
    if (begins_with_dashes(bytes, lf + 1)) return {lf + 1, lines};
  }
  return {bytes.size(), lines};
}

}  // namespace

bool has_eight_bit(std::string_view bytes) {
  std::size_t at = 0;
#ifdef __SSE2__
  for (; at + kBlock <= bytes.size(); at += kBlock)
    if (_mm_movemask_epi8(load(bytes.data() + at)) != 0) return true;
#endif
  return std::any_of(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end(),
                     [](char c) { return static_cast<unsigned char>(c) > 127; });
}

std::uint64_t count_lines(std::string_view bytes) {
  std::size_t at = 0;
  std::uint64_t lines = 0;
#ifdef __SSE2__
  const std::size_t blocks_end = bytes.size() - bytes.size() % kBlock;
  while (at < blocks_end) {
    __m128i counters = _mm_setzero_si128();
    for (const std::size_t end = run_end(at, blocks_end); at < end; at += kBlock)
      counters = _mm_sub_epi8(counters, equal(bytes.data() + at, '\n'));
    lines += sum(counters);
  }
#endif
  const auto tail = std::count(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end(), '\n');
  return lines + static_cast<std::uint64_t>(tail);
}

Dashes find_dashes(std::string_view bytes, std::size_t from) {
  if (begins_with_dashes(bytes, from)) return {from, 0};
  std::size_t at = from;
  std::uint64_t lines = 0;
#ifdef __SSE2__
  constexpr std::size_t kLookAhead = 2;  // the two dashes behind the LF
  if (bytes.size() - at < kBlock + kLookAhead) return find_dashes_slowly(bytes, at, lines);
  const std::size_t blocks = (bytes.size() - kLookAhead - at) / kBlock;
  const std::size_t blocks_end = at + blocks * kBlock;
  while (at < blocks_end) {
    __m128i counters = _mm_setzero_si128();
    for (const std::size_t end = run_end(at, blocks_end); at < end; at += kBlock) {
      const char* block = bytes.data() + at;
      const __m128i lf = equal(block, '\n');
      const __m128i hit =
          _mm_and_si128(lf, _mm_and_si128(equal(block + 1, '-'), equal(block + 2, '-')));
      if (_mm_movemask_epi8(hit) != 0) return find_dashes_slowly(bytes, at, lines + sum(counters));
      counters = _mm_sub_epi8(counters, lf);
    }
    lines += sum(counters);
  }
#endif
  return find_dashes_slowly(bytes, at, lines);
}

}  // namespace postern::mime
