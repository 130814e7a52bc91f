// base64 and quoted-printable by table, in pieces.
#include "lib/mime/transfer.h"

#include <algorithm>
#include <array>

#include "lib/base/text.h"
#include "lib/mime/lexer.h"

namespace postern::mime {
namespace {

constexpr std::uint8_t kNotInAlphabet = 0xff;

constexpr std::array<std::uint8_t, 256> base64_values() {
  std::array<std::uint8_t, 256> values{};
  for (auto& value : values) value = kNotInAlphabet;
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < kAlphabet.size(); ++i)
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  return values;
}
constexpr auto kBase64 = base64_values();

std::uint8_t base64_value(char c) { return kBase64[static_cast<unsigned char>(c)]; }

int hex_value(char c) {
  if (ascii_digit(c)) return c - '0';
  const char upper = ascii_upper(c);
  return upper >= 'A' && upper <= 'F' ? upper - 'A' + 10 : -1;
}

void append_octets(std::uint32_t bits, unsigned octets, std::string& out) {
  for (unsigned i = 0; i < octets; ++i) out.push_back(static_cast<char>(bits >> (16 - 8 * i)));
}

// The next "=" or line end, or the end.
std::size_t plain_end(std::string_view in, std::size_t from) {
  const char* const end = in.data() + in.size();
  const char* const stop = std::find_if(in.data() + from, end,
                                        [](char c) { return c == '=' || c == '\n' || c == '\r'; });
  return static_cast<std::size_t>(stop - in.data());
}

// Three octets from four characters of the alphabet; false if one is none.
bool decode_quad(const char* in, char* out) {
  const unsigned a = base64_value(in[0]);
  const unsigned b = base64_value(in[1]);
  const unsigned c = base64_value(in[2]);
  const unsigned d = base64_value(in[3]);
  if ((a | b | c | d) > 63) return false;
  out[0] = static_cast<char>(a << 2 | b >> 4);
  out[1] = static_cast<char>(b << 4 | c >> 2);
  out[2] = static_cast<char>(c << 6 | d);
  return true;
}

constexpr std::array<std::string_view, 5> kEncodingNames{"7bit", "8bit", "binary",
                                                         "quoted-printable", "base64"};

}  // namespace

void TransferDecoder::decode(std::string_view in, std::string& out) {
  switch (encoding_) {
    case Encoding::base64:
      return base64(in, out);
    case Encoding::quoted_printable:
      return quoted_printable(in, out);
    case Encoding::seven_bit:
    case Encoding::eight_bit:
    case Encoding::binary:
    case Encoding::unknown:
      out.append(in);
  }
}

void TransferDecoder::finish(std::string& out) {
  if (encoding_ == Encoding::base64) {
    // Two sextets hold one octet, three hold two; the padding may be missing.
    if (sextets_ >= 2) append_octets(bits_ << (6 * (4 - sextets_)), sextets_ - 1, out);
    bits_ = 0;
    sextets_ = 0;
  }
  if (!held_.starts_with(' ') && !held_.starts_with('\t') && held_ != "=") out.append(held_);
  held_.clear();
}

// Whole groups of four, as long as there are: nearly all of a real body.
std::size_t TransferDecoder::base64_groups(std::string_view in, std::string& out) {
  const std::size_t before = out.size();
  out.resize(before + in.size() / 4 * 3);
  char* next = out.data() + before;
  std::size_t at = 0;
  for (; at + 4 <= in.size() && decode_quad(in.data() + at, next); at += 4) next += 3;
  out.resize(static_cast<std::size_t>(next - out.data()));
  return at;
}

void TransferDecoder::base64(std::string_view in, std::string& out) {
  constexpr std::size_t kLine = 76;
  for (std::size_t at = 0; at < in.size(); ++at) {
    if (sextets_ == 0) at += base64_groups(in.substr(at, kLine), out);
    if (at >= in.size()) return;
    if (in[at] == '=') {
      finish(out);  // what follows padding is a new text: some software joins encoded pieces
      continue;
    }
    const std::uint8_t value = base64_value(in[at]);
    if (value == kNotInAlphabet) continue;
    bits_ = bits_ << 6 | value;
    if (++sextets_ < 4) continue;
    append_octets(bits_, 3, out);
    bits_ = 0;
    sextets_ = 0;
  }
}

// In an escape that began with "=". False: `c` isn't what it needs.
bool TransferDecoder::continue_escape(char c, std::string& out) {
  const bool digit = held_.size() == 2 && hex_value(held_[1]) >= 0;
  if (digit) {
    if (hex_value(c) < 0) return false;
    out.push_back(static_cast<char>(hex_value(held_[1]) * 16 + hex_value(c)));
    held_.clear();
    return true;
  }
  if (c == '\n') {  // a soft line break (RFC 2045 §6.7 (5)), white space before it or not
    held_.clear();
    return true;
  }
  if (c != '\r' && c != ' ' && c != '\t' && (held_.size() > 1 || hex_value(c) < 0)) return false;
  held_.push_back(c);
  return true;
}

// `held_` is the beginning of an escape, or white space that may turn out to end its line, where
// RFC 2045 §6.7 (3) takes it away.
void TransferDecoder::quoted_printable(std::string_view in, std::string& out) {
  constexpr std::string_view kBlank = " \t";
  for (std::size_t i = 0; i < in.size();) {
    const char c = in[i];
    if (held_.starts_with('=')) {
      if (continue_escape(c, out)) {
        ++i;
        continue;
      }
      out.append(held_);  // keep it as it stands
      held_.clear();
    }
    if (c == '\r' || c == '\n') {
      held_.clear();
      out.push_back(c);
      ++i;
      continue;
    }
    const std::size_t stop = plain_end(in, i);
    const std::string_view run = in.substr(i, stop - i);
    const std::size_t kept = run.find_last_not_of(kBlank) + 1;
    if (kept > 0) {
      out.append(held_);
      out.append(run.substr(0, kept));
      held_.clear();
    }
    held_.append(run.substr(kept));
    i = stop;
    if (i < in.size() && in[i] == '=') {
      out.append(held_);
      held_.assign(1, '=');
      ++i;
    }
  }
}

std::string decode_transfer(Encoding encoding, std::string_view in) {
  std::string out;
  out.reserve(in.size());
  TransferDecoder decoder(encoding);
  decoder.decode(in, out);
  decoder.finish(out);
  return out;
}

Encoding parse_encoding(std::string_view value) {
  Lexer in(value);
  in.skip_cfws();
  const std::string_view word = in.word("(;,");
  if (word.empty()) return Encoding::seven_bit;
  for (std::size_t i = 0; i < kEncodingNames.size(); ++i)
    if (iequals(word, kEncodingNames[i])) return static_cast<Encoding>(i);
  return Encoding::unknown;
}

std::string_view name_of(Encoding encoding) {
  const auto index = static_cast<std::size_t>(encoding);
  return index < kEncodingNames.size() ? kEncodingNames[index] : std::string_view();
}

}  // namespace postern::mime
