// RFC 6858 §2 field by field, but with names of files kept in the form of RFC 2231, as RFC 6857
// does it, and with text in other unstructured fields kept as it is kept in Subject.
#include "lib/mime/downgrade.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "lib/base/text.h"
#include "lib/mime/address.h"
#include "lib/mime/encoded_word.h"
#include "lib/mime/lexer.h"
#include "lib/mime/parameters.h"
#include "lib/mime/scan.h"
#include "lib/mime/transfer.h"

namespace postern::mime {
namespace {

// Writes one field, with a line for each 76 octets where its tokens allow it (RFC 2047 §2).
class FieldWriter {
 public:
  explicit FieldWriter(std::string_view name) : out_(name) {
    if (!name.empty()) out_ += ':';
    column_ = out_.size();
  }
  void token(std::string_view token) {
    constexpr std::size_t kLine = 76;
    if (column_ > 0 && column_ + 1 + token.size() > kLine) {
      out_ += "\r\n";
      column_ = 0;
    }
    if (!out_.empty()) glue(" ");
    glue(token);
  }
  void tokens(const std::vector<std::string>& tokens) {
    for (const std::string& one : tokens) token(one);
  }
  /// To the token before it.
  void glue(std::string_view text) {
    out_ += text;
    column_ += text.size();
  }
  std::string finish() { return std::move(out_); }

 private:
  std::string out_;
  std::size_t column_ = 0;
};

using Text = std::optional<std::string>;  // of a field, without its line end; nothing: left out

// A line that is no field: text, but a mbox's "From " tells the parser that a header begins.
Text text_line(std::string_view line) {
  std::string_view mark;
  for (const std::string_view known : {">From ", "From "})
    if (line.starts_with(known)) mark = known;
  std::vector<std::string> words = encoded_words(decode_header(line.substr(mark.size())));
  words.front().insert(0, mark);
  FieldWriter out("");
  out.tokens(words);
  return out.finish();
}

// RFC 6858 §2.3
Text unstructured(std::string_view name, std::string_view value) {
  FieldWriter out(name);
  out.tokens(encoded_words(decode_header(value)));
  return out.finish();
}

bool is_phrase(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return ascii_alpha(c) || ascii_digit(c) ||
           std::string_view(" !#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
  });
}

// phrase = display-name (RFC 5322 §3.4), RFC 2047 §5 (3)
void write_phrase(const std::string& utf8, FieldWriter& out) {
  if (needs_encoding(utf8)) {
    out.tokens(encoded_words(utf8));
  } else {
    out.token(is_phrase(utf8) ? utf8 : quoted_string(utf8));
  }
}

// RFC 6858 §2.1: an internationalized address becomes one that reaches nobody, and its name tells
// what it was.
void write_mailbox(const Address& address, FieldWriter& out) {
  const std::string spec = address.addr_spec();
  const std::string name = decode_header(address.name);
  if (!is_ascii(spec)) {
    write_phrase(name.empty() ? spec : name + " <" + spec + ">", out);
    return out.token("<invalid@internationalized-address.invalid>");
  }
  if (!address.has_name) return out.token(spec);
  write_phrase(name, out);
  out.token("<" + spec + ">");
}

// address-list (RFC 5322 §3.4)
Text addresses(std::string_view name, std::string_view value) {
  const std::vector<Address> list = parse_address_list(value);
  if (list.empty()) return std::nullopt;
  FieldWriter out(name);
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i].kind == Address::Kind::group_start) {
      write_phrase(decode_header(list[i].name), out);
      out.glue(":");
      continue;
    }
    if (list[i].kind == Address::Kind::group_end) {
      out.glue(";");
    } else {
      write_mailbox(list[i], out);
    }
    const bool more = i + 1 < list.size() && list[i + 1].kind != Address::Kind::group_end;
    if (more) out.glue(",");
  }
  return out.finish();
}

// token of RFC 2045 §5.1
bool is_mime_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    constexpr std::string_view kSpecials = "()<>@,;:\\\"/[]?=";
    return c > 32 && c < 127 && kSpecials.find(c) == std::string_view::npos;
  });
}

void write_parameter(std::string_view name, std::string_view value, FieldWriter& out) {
  out.glue(";");
  out.token(std::string(name) + '=' +
            (is_mime_token(value) ? std::string(value) : quoted_string(value)));
}

// RFC 6858 §2.2 would leave such a parameter out, and with it the name of the file.
void write_parameter(const Parameter& parameter, FieldWriter& out) {
  constexpr std::size_t kLongest = 900;  // RFC 5322 §2.1.1 allows 998 on a line
  if (!is_ascii(parameter.name)) return;
  if (is_ascii(parameter.wire_value))
    return write_parameter(parameter.wire_name, parameter.wire_value, out);
  const std::string value = extended_value(parameter.value);
  if (value.size() < kLongest) write_parameter(parameter.name + '*', value, out);
}

// type/subtype with its parameters. What the parser takes for text/plain (RFC 2045 §5.2), and the
// boundary that it goes by, must be the same in the surrogate.
Text content_type(std::string_view name, std::string_view value) {
  FieldWriter out(name);
  const MediaType media = parse_media_type(value);
  const bool usable = !media.type.empty();
  out.token(usable ? media.type + '/' + media.subtype : "text/plain");
  if (!media.boundary.empty() && is_ascii(media.boundary))
    write_parameter("boundary", media.boundary, out);
  for (const Parameter& parameter : parse_parameterized(value).parameters)
    if (media.type != "multipart" || parameter.name != "boundary") write_parameter(parameter, out);
  return out.finish();
}

// RFC 2183 §2
Text content_disposition(std::string_view name, std::string_view value) {
  const Parameterized parsed = parse_parameterized(value);
  FieldWriter out(name);
  // What an unknown one means (RFC 2183 §2.8).
  out.token(is_mime_token(parsed.main) ? parsed.main : "attachment");
  for (const Parameter& parameter : parsed.parameters) write_parameter(parameter, out);
  return out.finish();
}

// mechanism (RFC 2045 §6.1): it must be known for what it is, or unknown as before (§6.3).
Text content_transfer_encoding(std::string_view name, std::string_view value) {
  FieldWriter out(name);
  const std::string_view known = name_of(parse_encoding(value));
  out.token(known.empty() ? "x-unknown" : known);
  return out.finish();
}

// Fields whose syntax leaves no room for encoded-words: without their comments if that is enough,
// else left out (RFC 6858 §2.4).
Text structured(std::string_view name, std::string_view value) {
  FieldWriter out(name);
  bool any = false;
  for (Lexer in(value); in.skip_cfws(), !in.at_end();) {
    const std::size_t begin = in.offset();
    std::string ignored;
    if (in.looking_at('"')) {
      in.quoted_string(ignored);
    } else {
      in.word("(\"");
    }
    if (!is_ascii(in.from(begin))) return std::nullopt;
    out.token(in.from(begin));
    any = true;
  }
  return any ? Text(out.finish()) : std::nullopt;
}

// What is in no table is text (RFC 5322 §3.6.8).
constexpr std::array<std::string_view, 11> kAddresses{
    "bcc",         "cc",        "from",          "reply-to", "resent-bcc", "resent-cc",
    "resent-from", "resent-to", "resent-sender", "sender",   "to"};
constexpr std::array<std::string_view, 29> kStructured{"authentication-results",
                                                       "auto-submitted",
                                                       "content-base",
                                                       "content-id",
                                                       "content-language",
                                                       "content-location",
                                                       "content-md5",
                                                       "date",
                                                       "delivered-to",
                                                       "disposition-notification-to",
                                                       "dkim-signature",
                                                       "errors-to",
                                                       "expires",
                                                       "in-reply-to",
                                                       "list-archive",
                                                       "list-help",
                                                       "list-id",
                                                       "list-owner",
                                                       "list-post",
                                                       "list-subscribe",
                                                       "list-unsubscribe",
                                                       "message-id",
                                                       "mime-version",
                                                       "received",
                                                       "references",
                                                       "resent-date",
                                                       "resent-message-id",
                                                       "return-path",
                                                       "x-original-to"};

Text surrogate(std::string_view name, std::string_view value) {
  if (name.empty()) return text_line(value);
  const auto is = [name](std::string_view other) { return iequals(name, other); };
  if (is("content-type")) return content_type(name, value);
  if (is("content-disposition")) return content_disposition(name, value);
  if (is("content-transfer-encoding")) return content_transfer_encoding(name, value);
  if (std::ranges::any_of(kAddresses, is)) return addresses(name, value);
  if (std::ranges::any_of(kStructured, is)) return structured(name, value);
  return unstructured(name, value);
}

}  // namespace

std::vector<Edit> downgrade(const Message& message) {
  // A list of short addresses grows twentyfold: what goes beyond any sense is left out, or a
  // hostile header of 64 MiB would take a gigabyte.
  constexpr std::size_t kLargestField = std::size_t{256} << 10;
  constexpr std::size_t kMostText = std::size_t{4} << 20;
  std::vector<Edit> edits;
  std::size_t written = 0;
  if (!message.eight_bit_header) return edits;
  for (const Field& field : message.fields) {
    const std::string_view whole = message.text(field.whole);
    if (!has_eight_bit(whole) || !is_utf8(whole)) continue;
    Text text;
    if (whole.size() <= kLargestField && written <= kMostText)
      text = surrogate(message.text(field.name), message.text(field.value));
    if (text) written += text->size();
    if (text) *text += message.text({field.value.end, field.whole.end});
    edits.push_back({field.whole, std::move(text).value_or("")});
  }
  return edits;
}

std::vector<std::string_view> pieces(std::string_view bytes, Range range,
                                     std::span<const Edit> edits) {
  std::vector<std::string_view> out;
  std::uint64_t at = range.begin;
  for (const Edit& edit : edits) {
    if (edit.range.begin < range.begin || edit.range.end > range.end) continue;
    if (edit.range.begin > at) out.push_back(bytes.substr(at, edit.range.begin - at));
    if (!edit.text.empty()) out.push_back(edit.text);
    at = edit.range.end;
  }
  if (range.end > at) out.push_back(bytes.substr(at, range.end - at));
  return out;
}

}  // namespace postern::mime
