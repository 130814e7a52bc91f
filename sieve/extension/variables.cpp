// set and string (RFC 5229 §4, §5).
#include <fmt/format.h>

#include <array>

#include "lib/base/text.h"
#include "sieve/functions.h"
#include "sieve/match.h"
#include "sieve/regex.h"
#include "sieve/set_modifiers.h"
#include "sieve/utf8.h"

namespace postern::sieve {
namespace {

std::string with_first(std::string value, char (*change)(char)) {
  if (!value.empty()) value.front() = change(value.front());
  return value;
}

// A backslash before what :matches takes for a wildcard.
std::string quote_wildcards(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '*' || c == '?' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

// Percent-encodes all but RFC 3986's unreserved characters (RFC 5435 §6).
std::string encode_url(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (ascii_alpha(c) || ascii_digit(c) || c == '-' || c == '.' || c == '_' || c == '~')
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

struct Modifier {
  Tag tag;
  std::string (*apply)(const std::string&);
};

// In order of precedence: 40, 30, 20, 15, 10 (RFC 5229 §4.1).
constexpr std::array kModifiers{
    Modifier{Tag::lower, [](const std::string& v) { return to_lower(v); }},
    Modifier{Tag::upper, [](const std::string& v) { return to_upper(v); }},
    Modifier{Tag::lowerfirst, [](const std::string& v) { return with_first(v, ascii_lower); }},
    Modifier{Tag::upperfirst, [](const std::string& v) { return with_first(v, ascii_upper); }},
    Modifier{Tag::quotewildcard, [](const std::string& v) { return quote_wildcards(v); }},
    Modifier{Tag::quoteregex, [](const std::string& v) { return quote_regex(v); }},
    Modifier{Tag::encodeurl, [](const std::string& v) { return encode_url(v); }},
    Modifier{Tag::length, [](const std::string& v) { return fmt::format("{}", utf8_count(v)); }},
};

}  // namespace

std::string modify(const Code& code, std::string value) {
  for (const auto& modifier : kModifiers)
    if (code.has(modifier.tag)) value = modifier.apply(value);
  return value;
}

void check_set(Checker& checker, Code& code) {
  const Text& name = code.args.front().strings.front();
  const auto parsed = parse_variable_name(name.text);
  const bool global = parsed.kind == VariableName::Kind::global;
  if (name.has_variables || (parsed.kind != VariableName::Kind::plain && !global))
    checker.error(name.at, fmt::format("\"{}\" can't be the name of a variable to set", name.text));
  else if (global && !checker.has(Cap::include))
    checker.error(name.at, "the namespace 'global' needs: require \"include\";");
}

Result<Flow> run_set(Run& run, const Code& code) {
  const auto name = parse_variable_name(code.args[0].strings.front().text);
  TRY(run.frame().variables.set(name, modify(code, run.arg_string(code, 1))));
  return Flow::next;
}

// With :count, the number of strings that are not empty (RFC 5229 §5).
Result<bool> test_string(Run& run, const Code& code) {
  const auto sources = run.strings(code.args[0]);
  Match match(run, code, code.args[1]);
  for (const auto value : sources) {
    if (value.empty() && code.match.type == MatchType::count) continue;
    if (TRY(match.takes(value))) return true;
  }
  return match.at_end();
}

}  // namespace postern::sieve
