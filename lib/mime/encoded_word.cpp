// RFC 2047: "=?charset?Q or B?text?=", decoded leniently and made strictly.
#include "lib/mime/encoded_word.h"

#include <optional>
#include <utility>

#include "lib/base/text.h"
#include "lib/mime/charset.h"
#include "lib/mime/header.h"
#include "lib/mime/lexer.h"
#include "lib/mime/transfer.h"

namespace postern::mime {
namespace {

struct EncodedWord {
  std::string charset;   // without RFC 2231 §5's language
  std::string octets;    // decoded
  std::size_t size = 0;  // of the whole word
};

// RFC 2047 §4.2
std::string decode_q(std::string_view text) {
  std::string quoted(text);
  for (char& c : quoted)
    if (c == '_') c = ' ';
  // A space at the end is text here, not padding: the decoder would drop it.
  quoted += "=20";
  std::string out = decode_transfer(Encoding::quoted_printable, quoted);
  out.pop_back();
  return out;
}

// Finds encoded-words from left to right, each octet looked at a bounded number of times.
class WordFinder {
 public:
  explicit WordFinder(std::string_view text) : text_(text) {}

  /// The encoded-word at `at`, where "=?" stands. Spaces inside are not allowed (RFC 2047 §2), but
  /// some software leaves them in Q text, so only the frame is asked for.
  std::optional<EncodedWord> word_at(std::size_t at) {
    constexpr std::size_t kMaxCharset = 64;
    const std::string_view head = text_.substr(at + 2, kMaxCharset + 3);
    const std::size_t size = head.find('?');
    if (size == std::string_view::npos || size + 2 >= head.size() || head[size + 2] != '?')
      return std::nullopt;
    const char method = ascii_lower(head[size + 1]);
    const std::string_view label = head.substr(0, size);
    const std::string_view charset = label.substr(0, label.find('*'));
    if ((method != 'q' && method != 'b') || !charset_known(charset) || charset.empty())
      return std::nullopt;
    const std::size_t begin = at + 2 + size + 3;
    const std::size_t end = end_from(begin);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view body = text_.substr(begin, end - begin);
    return EncodedWord{to_lower(charset),
                       method == 'q' ? decode_q(body) : decode_transfer(Encoding::base64, body),
                       end + 2 - at};
  }

 private:
  // The first "?=" from `begin` on; asked for with growing `begin`, so one pass does for all.
  std::size_t end_from(std::size_t begin) {
    if (end_ == std::string_view::npos || end_ >= begin) return end_;
    return end_ = text_.find("?=", begin);
  }

  std::string_view text_;
  std::size_t end_ = 0;
};

bool only_space(std::string_view text) {
  return text.find_first_not_of(" \t") == std::string_view::npos;
}

// Collects plain text and encoded-words. Octets of neighbours in one charset are joined before
// they are converted: some software cuts characters in two.
class Decoder {
 public:
  void plain(std::string_view text) {
    flush();
    out_ += is_ascii(text) ? std::string(text) : to_utf8_or_guess("utf-8", text);
  }
  void word(EncodedWord word) {
    if (word.charset != charset_) flush();
    charset_ = std::move(word.charset);
    octets_ += word.octets;
  }
  std::string finish() {
    flush();
    return std::move(out_);
  }

 private:
  void flush() {
    if (!charset_.empty()) out_ += to_utf8_or_guess(charset_, octets_);
    charset_.clear();
    octets_.clear();
  }

  std::string out_;
  std::string charset_;
  std::string octets_;
};

std::string decode_words(std::string_view text) {
  Decoder decoder;
  WordFinder finder(text);
  bool after_word = false;
  std::size_t plain_begin = 0;
  for (std::size_t at = text.find("=?"); at != std::string_view::npos; at = text.find("=?", at)) {
    auto word = finder.word_at(at);
    if (!word) {
      at += 2;
      continue;
    }
    const std::string_view between = text.substr(plain_begin, at - plain_begin);
    if (!between.empty() && !(after_word && only_space(between))) decoder.plain(between);
    at += word->size;
    decoder.word(std::move(*word));
    plain_begin = at;
    after_word = true;
  }
  if (plain_begin < text.size()) decoder.plain(text.substr(plain_begin));
  return decoder.finish();
}

// What a Q word may contain as itself also in a phrase (RFC 2047 §5 (3)).
bool is_q_safe(char c) {
  return ascii_alpha(c) || ascii_digit(c) || c == '!' || c == '*' || c == '+' || c == '-' ||
         c == '/';
}

std::string encode_q(char c) {
  if (c == ' ') return "_";
  if (is_q_safe(c)) return std::string(1, c);
  return "=" + to_upper(to_hex(std::string_view(&c, 1)));
}

std::size_t character_size(std::string_view text) {
  std::size_t size = 1;
  while (size < text.size() && size < 4 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80)
    ++size;
  return size;
}

}  // namespace

std::string decode_header(std::string_view value) {
  std::string text = unfold(value);
  if (text.find("=?") == std::string::npos) {
    if (is_ascii(text)) return text;
    return to_utf8_or_guess("utf-8", text);
  }
  return decode_words(text);
}

bool needs_encoding(std::string_view text) {
  for (const char c : text)
    if (c < 32 || c >= 127) return true;
  constexpr std::size_t kLongLine = 900;  // RFC 5322 §2.1.1 allows 998 with the field's name
  return text.find("=?") != std::string_view::npos || text.size() > kLongLine;
}

std::vector<std::string> encoded_words(std::string_view utf8) {
  constexpr std::string_view kOpen = "=?utf-8?Q?";
  constexpr std::size_t kMaxWord = 75 - 2;  // RFC 2047 §2, without the end
  std::vector<std::string> words{std::string(kOpen)};
  while (!utf8.empty()) {
    const std::size_t size = character_size(utf8);
    std::string encoded;
    for (const char c : utf8.substr(0, size)) encoded += encode_q(c);
    utf8.remove_prefix(size);
    if (words.back().size() + encoded.size() > kMaxWord) words.emplace_back(kOpen);
    words.back() += encoded;
  }
  for (std::string& word : words) word += "?=";
  return words;
}

std::string encode_header_text(std::string_view utf8) {
  if (!needs_encoding(utf8)) return std::string(utf8);
  std::string out;
  for (const std::string& word : encoded_words(utf8)) {
    if (!out.empty()) out += "\r\n ";
    out += word;
  }
  return out;
}

}  // namespace postern::mime
