// RFC 2045 §5.1 with what mail software makes of it, and the continuations, charsets and languages
// of RFC 2231.
#include "lib/mime/parameters.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "lib/base/text.h"
#include "lib/mime/charset.h"
#include "lib/mime/encoded_word.h"
#include "lib/mime/lexer.h"

namespace postern::mime {
namespace {

constexpr std::size_t kMaxParameters = 256;
constexpr std::size_t kMaxValue = std::size_t{64} * 1024;
constexpr std::string_view kSpecials = "()<>@,;:\\\"/[]?=";  // RFC 2045 §5.1, tspecials

// name*3*=value
struct RawParameter {
  std::string name;       // lower case, without marks
  int section = -1;       // of a continuation (RFC 2231 §3)
  bool extended = false;  // percent-encoded (RFC 2231 §4)
  std::string value;
  bool used = false;
};

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > 32 && c < 127; });
}

// `type "/" subtype`; both empty when it isn't that.
std::pair<std::string, std::string> media_type(Lexer& in) {
  in.skip_cfws();
  const std::string_view type = in.word(kSpecials);
  in.skip_cfws();
  if (!in.take('/')) return {};
  in.skip_cfws();
  const std::string_view subtype = in.word(kSpecials);
  if (!is_token(type) || !is_token(subtype)) return {};
  return {to_lower(type), to_lower(subtype)};
}

// Splits RFC 2231's marks off: "name*", "name*3", "name*3*". Others are left as they are.
void split_marks(RawParameter& parameter) {
  std::string_view name = parameter.name;
  const bool extended = name.ends_with('*');
  if (extended) name.remove_suffix(1);
  const std::size_t star = name.find('*');
  if (star != std::string_view::npos) {
    const auto section = parse_u32(name.substr(star + 1));
    if (!section || *section > 9999 || star == 0) return;
    parameter.section = static_cast<int>(*section);
    name = name.substr(0, star);
  }
  if (name.empty()) return;
  parameter.extended = extended;
  parameter.name = std::string(name);
}

// A value without quotes ends at white space; but words behind it up to the next semicolon belong
// to it if they can't be a parameter: filename=my file.pdf
std::string bare_value(Lexer& in) {
  std::string value(in.word(";"));
  Lexer ahead = in;
  ahead.skip_space();
  const std::size_t begin = ahead.offset();
  while (!ahead.at_end() && !ahead.looking_at(';')) ahead.skip();
  const std::string_view more = ahead.from(begin);
  if (more.empty() || more.find_first_of("=(\"") != std::string_view::npos) return value;
  in = ahead;
  value += ' ';
  value += more;
  while (is_space(value.back())) value.pop_back();
  std::erase_if(value, [](char c) { return c == '\r' || c == '\n'; });
  return value;
}

// The next name=value, whatever stands between.
std::optional<RawParameter> next_parameter(Lexer& in) {
  while (true) {
    in.skip_cfws();
    if (in.at_end()) return std::nullopt;
    const std::string_view name = in.word(";=\"");
    in.skip_cfws();
    if (name.empty() || !in.looking_at('=')) {
      std::string ignored;
      if (in.looking_at('"')) {
        in.quoted_string(ignored);
      } else if (!in.at_end() && (name.empty() || in.looking_at(';'))) {
        in.skip();
      }
      continue;
    }
    in.skip();
    in.skip_cfws();
    RawParameter parameter;
    parameter.name = to_lower(name);
    if (in.looking_at('"')) {
      in.quoted_string(parameter.value);
    } else {
      parameter.value = bare_value(in);
    }
    split_marks(parameter);
    return parameter;
  }
}

int hex_digit(char c) {
  if (ascii_digit(c)) return c - '0';
  const char lower = ascii_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    out.push_back(low >= 0 ? static_cast<char>(high * 16 + low) : text[i]);
    if (low >= 0) i += 2;
  }
  return out;
}

// attribute-char of RFC 2231 §7
bool needs_percent(char c) {
  return c <= 32 || c >= 127 || c == '*' || c == '\'' || c == '%' ||
         kSpecials.find(c) != std::string_view::npos;
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (!needs_percent(c)) {
      out.push_back(c);
      continue;
    }
    out.push_back('%');
    out += to_upper(to_hex(std::string_view(&c, 1)));
  }
  return out;
}

// The segments of one parameter, in order: their plain forms joined.
Parameter join(const std::vector<const RawParameter*>& segments) {
  Parameter joined;
  joined.name = segments.front()->name;
  std::string octets;
  for (const RawParameter* segment : segments)
    octets += segment->extended ? percent_decode(segment->value) : segment->value;
  joined.value = decode_header(octets);
  joined.wire_name = joined.name;
  joined.wire_value = std::move(octets);
  return joined;
}

// The same where a segment is percent-encoded. The first one, if it is, begins with
// charset'language' (RFC 2231 §4.1).
Parameter join_extended(const std::vector<const RawParameter*>& segments) {
  std::string prefix = "''";
  std::string octets;
  std::string encoded;
  for (const RawParameter* segment : segments) {
    std::string_view value = segment->value;
    const bool first = segment == segments.front();
    const std::size_t quote =
        first && segment->extended ? value.find('\'') : std::string_view::npos;
    const std::size_t second =
        quote == std::string_view::npos ? quote : value.find('\'', quote + 1);
    if (second != std::string_view::npos) {
      prefix = value.substr(0, second + 1);
      value.remove_prefix(second + 1);
    }
    octets += segment->extended ? percent_decode(value) : std::string(value);
    encoded += segment->extended ? std::string(value) : percent_encode(value);
  }
  Parameter joined;
  joined.name = segments.front()->name;
  joined.value = to_utf8_or_guess(prefix.substr(0, prefix.find('\'')), octets);
  joined.wire_name = joined.name + '*';
  joined.wire_value = prefix + encoded;
  return joined;
}

// `first` and, if it is a continuation, the others of its name, ordered by section.
std::vector<const RawParameter*> segments_of(std::vector<RawParameter>& all, std::size_t first) {
  std::vector<const RawParameter*> segments;
  for (std::size_t i = first; i < all.size(); ++i) {
    RawParameter& other = all[i];
    const bool belongs = i == first || (all[first].section >= 0 && other.section >= 0 &&
                                        !other.used && other.name == all[first].name);
    if (!belongs) continue;
    other.used = true;
    segments.push_back(&other);
  }
  std::ranges::stable_sort(segments, {}, &RawParameter::section);
  return segments;
}

std::vector<Parameter> join_all(std::vector<RawParameter>& raw) {
  std::vector<Parameter> joined;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i].used) continue;
    const auto segments = segments_of(raw, i);
    const bool extended =
        std::ranges::any_of(segments, [](const RawParameter* s) { return s->extended; });
    joined.push_back(extended ? join_extended(segments) : join(segments));
  }
  return joined;
}

std::vector<Parameter> parse_parameters(Lexer& in) {
  std::vector<RawParameter> raw;
  while (raw.size() < kMaxParameters) {
    auto parameter = next_parameter(in);
    if (!parameter) break;
    raw.push_back(std::move(*parameter));
  }
  return join_all(raw);
}

Parameterized of_field(const Message& message, const Part& part, FieldId id) {
  const Field* field = message.find(part, id);
  return field != nullptr ? parse_parameterized(message.text(field->value)) : Parameterized{};
}

std::string boundary_of(Lexer& in) {
  std::string boundary;
  for (std::size_t i = 0; i < kMaxParameters; ++i) {
    const auto parameter = next_parameter(in);
    if (!parameter) break;
    if (parameter->name != "boundary") continue;
    boundary += parameter->value;  // continuations in their order
    if (parameter->section < 0) break;
  }
  while (!boundary.empty() && is_space(boundary.back())) boundary.pop_back();
  return boundary;
}

}  // namespace

const std::string* Parameterized::find(std::string_view name) const {
  const Parameter* found = nullptr;
  for (const Parameter& parameter : parameters) {
    if (parameter.name != name) continue;
    // name* says more than the name beside it, which is there for old software.
    if (found == nullptr || parameter.wire_name.ends_with('*')) found = &parameter;
  }
  return found != nullptr ? &found->value : nullptr;
}

Parameterized parse_parameterized(std::string_view value) {
  Lexer in(value.substr(0, kMaxValue));
  Parameterized parsed;
  in.skip_cfws();
  Lexer type_in = in;
  if (auto [type, subtype] = media_type(type_in); !type.empty()) {
    parsed.main = type + '/' + subtype;
    in = type_in;
  } else {
    parsed.main = to_lower(in.word(";=\""));
    // "filename=x" without a disposition: read it as a parameter.
    if (in.looking_at('=')) {
      parsed.main.clear();
      in = Lexer(value.substr(0, kMaxValue));
    }
  }
  parsed.parameters = parse_parameters(in);
  return parsed;
}

MediaType parse_media_type(std::string_view value) {
  Lexer in(value.substr(0, kMaxValue));
  MediaType media;
  std::tie(media.type, media.subtype) = media_type(in);
  if (media.type == "multipart") media.boundary = boundary_of(in);
  return media;
}

std::string extended_value(std::string_view utf8) { return "utf-8''" + percent_encode(utf8); }

Parameterized content_type(const Message& message, const Part& part) {
  return of_field(message, part, FieldId::content_type);
}

Parameterized content_disposition(const Message& message, const Part& part) {
  return of_field(message, part, FieldId::content_disposition);
}

std::string charset(const Message& message, const Part& part) {
  const Parameterized type = content_type(message, part);
  const std::string* found = type.find("charset");
  return found != nullptr ? *found : std::string();
}

std::string file_name(const Message& message, const Part& part) {
  const Parameterized disposition = content_disposition(message, part);
  if (const std::string* name = disposition.find("filename")) return *name;
  const Parameterized type = content_type(message, part);
  const std::string* name = type.find("name");
  return name != nullptr ? *name : std::string();
}

}  // namespace postern::mime
