#include "lmtpd/grammar.h"

#include <algorithm>

#include "lib/base/text.h"

namespace postern::lmtp {
namespace {

Error syntax(std::string_view what) { return fail(Errc::bad_syntax, "{}", what); }

bool is_control(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return octet < 32 || octet == 127;
}

// atext of RFC 5322 §3.2.3, with "." for Dot-string and UTF-8 (RFC 6531 §3.3)
bool is_dot_string_char(char c) {
  return ascii_alpha(c) || ascii_digit(c) || static_cast<unsigned char>(c) >= 128 ||
         std::string_view("!#$%&'*+-/=?^_`{|}~.").find(c) != std::string_view::npos;
}

// Quoted-string = DQUOTE *QcontentSMTP DQUOTE
Result<std::string> take_quoted(std::string_view& in) {
  std::string out;
  in.remove_prefix(1);
  for (;;) {
    if (in.empty()) return syntax("quoted string without end");
    char c = in.front();
    in.remove_prefix(1);
    if (c == '"') return out;
    if (c == '\\') {
      if (in.empty()) return syntax("quoted string without end");
      c = in.front();
      in.remove_prefix(1);
    }
    if (is_control(c)) return syntax("control character in a path");
    out += c;
  }
}

// Local-part = Dot-string / Quoted-string
Result<std::string> take_local_part(std::string_view& in) {
  if (in.starts_with('"')) return take_quoted(in);
  const auto end = std::ranges::find_if_not(in, is_dot_string_char);
  const auto size = static_cast<std::size_t>(end - in.begin());
  if (size == 0) return syntax("path without a local part");
  std::string out(in.substr(0, size));
  in.remove_prefix(size);
  return out;
}

// Domain / address-literal
Result<std::string> take_domain(std::string_view& in) {
  const bool literal = in.starts_with('[');
  const auto ends = [literal](char c) {
    return is_control(c) || c == ' ' || c == '>' || (literal && c == ']');
  };
  auto size = static_cast<std::size_t>(std::ranges::find_if(in, ends) - in.begin());
  if (literal) {
    if (size == in.size() || in[size] != ']') return syntax("address literal without end");
    ++size;
  }
  if (size == 0) return syntax("empty domain");
  std::string out(in.substr(0, size));
  in.remove_prefix(size);
  return out;
}

// A-d-l ":"; to be ignored (RFC 5321 Appendix C)
Result<void> skip_source_route(std::string_view& in) {
  if (!in.starts_with('@')) return {};
  const auto colon = in.find(':');
  if (colon == std::string_view::npos || in.substr(0, colon).find('>') != std::string_view::npos)
    return syntax("source route without end");
  in.remove_prefix(colon + 1);
  return {};
}

// Mailbox = Local-part "@" ( Domain / address-literal ); LMTP has bare user names too
Result<Address> take_mailbox(std::string_view& in) {
  const std::string_view from = in;
  Address out;
  out.local = TRY(take_local_part(in));
  if (in.starts_with('@')) {
    in.remove_prefix(1);
    out.domain = TRY(take_domain(in));
  }
  out.raw = from.substr(0, from.size() - in.size());
  return out;
}

// Path = "<" [ A-d-l ":" ] Mailbox ">"; "<>" only where the caller allows it
Result<std::optional<Address>> take_path(std::string_view& in) {
  if (!in.starts_with('<')) return syntax("path without <");
  in.remove_prefix(1);
  std::optional<Address> out;
  if (!in.starts_with('>')) {
    TRY(skip_source_route(in));
    out = TRY(take_mailbox(in));
  }
  if (!in.starts_with('>')) return syntax("path without >");
  in.remove_prefix(1);
  return out;
}

bool is_keyword(std::string_view text) {
  return !text.empty() && text.front() != '-' && std::ranges::all_of(text, [](char c) {
    return ascii_alpha(c) || ascii_digit(c) || c == '-';
  });
}

// esmtp-param = esmtp-keyword ["=" esmtp-value]
Result<Parameter> parse_parameter(std::string_view word) {
  const auto equals = word.find('=');
  Parameter out;
  out.keyword = to_upper(word.substr(0, equals));
  if (!is_keyword(out.keyword)) return syntax("parameter without a keyword");
  if (equals == std::string_view::npos) return out;
  out.value = word.substr(equals + 1);
  if (out.value->empty() || out.value->find('=') != std::string::npos ||
      std::ranges::any_of(*out.value, is_control))
    return syntax("bad value of a parameter");
  return out;
}

Result<std::vector<Parameter>> parse_parameters(std::string_view text) {
  std::vector<Parameter> out;
  for (const auto word : split(text, ' ')) {
    if (word.empty()) continue;
    Parameter parameter = TRY(parse_parameter(word));
    const auto same = [&](const Parameter& p) { return p.keyword == parameter.keyword; };
    if (std::ranges::any_of(out, same)) return syntax("parameter given twice");
    out.push_back(std::move(parameter));
  }
  return out;
}

}  // namespace

Result<PathArgument> parse_path_argument(std::string_view argument, std::string_view prefix) {
  if (!istarts_with(argument, prefix))
    return fail(Errc::bad_syntax, "{}<address> expected", prefix);
  std::string_view in = trim(argument.substr(prefix.size()));
  PathArgument out;
  out.address = TRY(take_path(in));
  if (!in.empty() && in.front() != ' ') return syntax("text behind the path");
  out.parameters = TRY(parse_parameters(in));
  return out;
}

Result<std::string> parse_lhlo_name(std::string_view argument) {
  const std::string_view name = trim(argument);
  if (name.empty()) return syntax("LHLO needs a name");
  const auto odd = [](char c) {
    return is_control(c) || c == ' ' || c == '(' || c == ')' || c == '<' || c == '>';
  };
  if (name.size() > 255 || std::ranges::any_of(name, odd)) return syntax("LHLO with an odd name");
  return std::string(name);
}

Result<Chunk> parse_bdat(std::string_view argument) {
  const auto words = split(trim(argument), ' ');
  const auto size = parse_u64(words[0]);
  const bool last = words.size() == 2 && iequals(words[1], "LAST");
  if (!size || *size > INT64_MAX || (words.size() != 1 && !last))
    return syntax("BDAT needs a size, and LAST or nothing");
  return Chunk{*size, last};
}

Result<std::string> decode_xtext(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '+') {
      out += text[i];
      continue;
    }
    out += TRY(from_hex(text.substr(i + 1, 2)));
    if (text.size() < i + 3) return syntax("xtext ends early");
    i += 2;
  }
  return out;
}

}  // namespace postern::lmtp
