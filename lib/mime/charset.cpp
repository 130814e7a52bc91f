// The only file that knows ICU.
#include "lib/mime/charset.h"

#include <unicode/uchar.h>
#include <unicode/ucnv.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <memory>
#include <span>

#include "lib/base/assert.h"
#include "lib/base/text.h"
#include "lib/mime/scan.h"

namespace postern::mime {
namespace {

constexpr std::size_t kMaxNormalized = 1U << 20;

struct CloseConverter {
  void operator()(UConverter* converter) const { ucnv_close(converter); }
};
using Converter = std::unique_ptr<UConverter, CloseConverter>;

struct Alias {
  std::string_view name;
  std::string_view means;
};

// Labels that ICU doesn't know, or takes for less than mail software puts under them.
constexpr std::array kAliases{
    Alias{"ansi_x3.4-1968", "us-ascii"},
    Alias{"ascii", "us-ascii"},
    Alias{"cp1252", "windows-1252"},
    Alias{"euc_kr", "windows-949"},
    Alias{"euc-kr", "windows-949"},
    Alias{"gb2312", "gb18030"},
    Alias{"gb_2312-80", "gb18030"},
    Alias{"gbk", "gb18030"},
    Alias{"iso-8859-1", "windows-1252"},
    Alias{"iso-8859-8-e", "iso-8859-8"},
    Alias{"iso-8859-8-i", "iso-8859-8"},
    Alias{"iso8859-1", "windows-1252"},
    Alias{"ks_c_5601-1987", "windows-949"},
    Alias{"latin1", "windows-1252"},
    Alias{"utf8", "utf-8"},
    Alias{"unicode-1-1-utf-7", "utf-7"},
    Alias{"x-gbk", "gb18030"},
    Alias{"x-sjis", "shift_jis"},
};

bool is_label(std::string_view name) {
  // ICU reads options behind a comma, and its own limit is 60.
  return !name.empty() && name.size() < 60 && std::ranges::all_of(name, [](char c) {
    return ascii_alpha(c) || ascii_digit(c) ||
           std::string_view("-_.:+()").find(c) != std::string_view::npos;
  });
}

std::string canonical(std::string_view charset) {
  std::string name = to_lower(trim(charset));
  if (name.empty()) return "us-ascii";
  const auto alias = std::ranges::find(kAliases, name, &Alias::name);
  return alias != kAliases.end() ? std::string(alias->means) : name;
}

Converter open_converter(const std::string& name) {
  if (!is_label(name)) return nullptr;
  UErrorCode error = U_ZERO_ERROR;
  Converter converter(ucnv_open(name.c_str(), &error));
  return U_SUCCESS(error) ? std::move(converter) : nullptr;
}

// A message's texts are mostly in one charset, and opening a converter costs microseconds: the last
// one is kept, the failed ones too.
class LastConverter {
 public:
  UConverter* get(const std::string& name) {
    if (name != name_) {
      converter_ = open_converter(name);
      name_ = name;
    }
    return converter_.get();
  }

 private:
  std::string name_;
  Converter converter_;
};

UConverter* converter_for(const std::string& name) {
  thread_local LastConverter last;
  return last.get(name);
}

void append_utf8(std::string& out, const UChar* text, std::int32_t size) {
  const std::size_t before = out.size();
  out.resize(before + static_cast<std::size_t>(size) * 3);
  std::int32_t written = 0;
  UErrorCode error = U_ZERO_ERROR;
  u_strToUTF8WithSub(out.data() + before, size * 3, &written, text, size, 0xFFFD, nullptr, &error);
  ASSERT(U_SUCCESS(error));
  out.resize(before + static_cast<std::size_t>(written));
}

std::string convert(UConverter* converter, std::string_view bytes) {
  constexpr std::size_t kChunk = 4096;
  std::array<UChar, kChunk> buffer;
  std::ptrdiff_t held = 0;  // a high surrogate at the start, whose low one is still to come
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 8);
  ucnv_resetToUnicode(converter);
  const char* source = bytes.data();
  const char* const end = source + bytes.size();
  UErrorCode error = U_BUFFER_OVERFLOW_ERROR;
  while (error == U_BUFFER_OVERFLOW_ERROR) {
    error = U_ZERO_ERROR;
    UChar* target = buffer.data() + held;
    ucnv_toUnicode(converter, &target, buffer.data() + kChunk, &source, end, nullptr, true, &error);
    const std::ptrdiff_t size = target - buffer.data();
    held = error == U_BUFFER_OVERFLOW_ERROR && size > 0 && U16_IS_LEAD(target[-1]) ? 1 : 0;
    append_utf8(out, buffer.data(), static_cast<std::int32_t>(size - held));
    if (held != 0) buffer[0] = target[-1];
  }
  return out;
}

bool is_utf8_or_ascii(const std::string& name) { return name == "utf-8" || name == "us-ascii"; }

std::string guess(std::string_view bytes) {
  if (is_utf8(bytes)) return std::string(bytes);
  UConverter* converter = converter_for("windows-1252");
  ASSERT(converter != nullptr);
  return convert(converter, bytes);
}

const UNormalizer2* normalizer(bool composed) {
  UErrorCode error = U_ZERO_ERROR;
  const UNormalizer2* found =
      composed ? unorm2_getNFCInstance(&error) : unorm2_getNFKDInstance(&error);
  ASSERT(U_SUCCESS(error));
  return found;
}

// UTF-16 of well-formed UTF-8.
std::basic_string<UChar> utf16_of(std::string_view utf8) {
  std::basic_string<UChar> out(utf8.size(), 0);
  std::int32_t size = 0;
  UErrorCode error = U_ZERO_ERROR;
  u_strFromUTF8(out.data(), static_cast<std::int32_t>(out.size()), &size, utf8.data(),
                static_cast<std::int32_t>(utf8.size()), &error);
  ASSERT(U_SUCCESS(error));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

std::int32_t normalize(const UNormalizer2* form, std::span<const UChar> text,
                       std::span<UChar> normal) {
  UErrorCode error = U_ZERO_ERROR;
  const std::int32_t written =
      unorm2_normalize(form, text.data(), static_cast<std::int32_t>(text.size()), normal.data(),
                       static_cast<std::int32_t>(normal.size()), &error);
  ASSERT(U_SUCCESS(error));
  return written;
}

constexpr std::size_t kPiece = 64;

// Titlecased characters of `text` from `at` on: some kPiece of them, but never ending before a
// combining mark, so that marks are put in order across the whole piece.
std::size_t take_titled(std::string_view text, std::size_t& at, std::span<UChar> out) {
  const auto* octets = reinterpret_cast<const std::uint8_t*>(text.data());
  std::size_t size = 0;
  while (at < text.size() && size + 2 <= out.size()) {
    std::size_t next = at;
    UChar32 c = 0;
    U8_NEXT_UNSAFE(octets, next, c);
    if (size >= kPiece && u_getCombiningClass(c) == 0) break;
    at = next;
    const UChar32 title = u_totitle(c);
    UBool overflow = false;
    U16_APPEND(out.data(), size, out.size(), title, overflow);
    ASSERT(!overflow);
  }
  return size;
}

// Text without ASCII characters: titlecase, then NFKD, which never composes and so can be done in
// pieces between ASCII characters.
void append_casemapped(std::string& out, std::string_view text) {
  constexpr std::size_t kMaxExpansion = 18;  // of one code unit in NFKD
  std::array<UChar, 2 * kPiece> titled;
  std::array<UChar, 2 * kPiece * kMaxExpansion> normal;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = take_titled(text, at, titled);
    append_utf8(out, normal.data(), normalize(normalizer(false), {titled.data(), size}, normal));
  }
}

}  // namespace

void warm_up() {
  (void)to_utf8_or_guess("windows-1252", "\xFC");
  (void)to_utf8_or_guess("gb18030", "\xFC");
  (void)casemap("\xC3\xBC");
  (void)to_nfc("u\xCC\x88");
}

Result<std::string> to_utf8(std::string_view charset, std::string_view bytes) {
  const std::string name = canonical(charset);
  if (is_utf8_or_ascii(name)) {
    if (is_utf8(bytes)) return std::string(bytes);
    if (name == "us-ascii") return guess(bytes);
  }
  UConverter* converter = converter_for(name);
  if (converter == nullptr) return fail(Errc::not_supported, "charset '{}'", name);
  return convert(converter, bytes);
}

std::string to_utf8_or_guess(std::string_view charset, std::string_view bytes) {
  const std::string name = canonical(charset);
  if (is_utf8_or_ascii(name)) return guess(bytes);
  UConverter* converter = converter_for(name);
  return converter == nullptr ? guess(bytes) : convert(converter, bytes);
}

bool charset_known(std::string_view charset) {
  const std::string name = canonical(charset);
  return is_utf8_or_ascii(name) || converter_for(name) != nullptr;
}

Result<std::string> to_nfc(std::string_view utf8) {
  if (!has_eight_bit(utf8)) return std::string(utf8);
  if (!is_utf8(utf8)) return fail(Errc::bad_syntax, "not UTF-8");
  if (utf8.size() > kMaxNormalized) return fail(Errc::too_big, "{} octets", utf8.size());
  constexpr std::size_t kMaxExpansion = 3;  // of one code unit in NFC
  const auto wide = utf16_of(utf8);
  std::basic_string<UChar> normal(wide.size() * kMaxExpansion, 0);
  const std::int32_t size = normalize(normalizer(true), wide, normal);
  std::string out;
  append_utf8(out, normal.data(), size);
  return out;
}

std::string casemap(std::string_view text) {
  if (!has_eight_bit(text)) return to_upper(text);
  if (!is_utf8(text)) return std::string(text);
  std::string out;
  out.reserve(text.size() + text.size() / 4);
  for (std::size_t at = 0; at < text.size();) {
    const auto is_high = [](char c) { return static_cast<unsigned char>(c) > 127; };
    if (!is_high(text[at])) {
      out.push_back(ascii_upper(text[at++]));
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && is_high(text[end])) ++end;
    append_casemapped(out, text.substr(at, end - at));
    at = end;
  }
  return out;
}

}  // namespace postern::mime
