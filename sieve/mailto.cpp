// Parses mailto URIs.
#include "sieve/mailto.h"

#include "lib/base/text.h"
#include "sieve/mail_address.h"

namespace postern::sieve {
namespace {

int hex_value(char c) {
  if (ascii_digit(c)) return c - '0';
  const char lower = ascii_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Percent-decoded; nothing if a '%' has not two hex digits behind it.
std::optional<std::string> decode_percent(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0)
      return std::nullopt;
    out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
    i += 2;
  }
  return out;
}

// addr-spec *("," addr-spec); false: one of them is no address
bool add_addresses(std::string_view list, std::vector<std::string>& out) {
  for (const auto one : split(list, ',')) {
    const auto text = decode_percent(one);
    const auto address = text ? single_address(*text) : std::nullopt;
    if (!address) return false;
    out.push_back(address->addr_spec());
  }
  return true;
}

// hfield = hfname "=" hfvalue
bool add_field(std::string_view field, Mailto& out) {
  const auto equals = field.find('=');
  if (equals == std::string_view::npos) return false;
  const auto name = field.substr(0, equals);
  const auto value = field.substr(equals + 1);
  if (iequals(name, "to")) return add_addresses(value, out.to);
  if (iequals(name, "cc")) return add_addresses(value, out.cc);
  auto text = decode_percent(value);
  if (!text) return false;
  if (iequals(name, "subject")) out.subject = std::move(*text);
  if (iequals(name, "body")) out.body = std::move(*text);
  return true;
}

}  // namespace

// mailtoURI = "mailto:" [ to ] [ "?" hfield *( "&" hfield ) ]
std::optional<Mailto> parse_mailto(std::string_view uri) {
  if (!istarts_with(uri, "mailto:")) return std::nullopt;
  uri.remove_prefix(7);
  const auto question = uri.find('?');
  Mailto out;
  if (question != 0 && !uri.empty() && !add_addresses(uri.substr(0, question), out.to))
    return std::nullopt;
  if (question != std::string_view::npos)
    for (const auto field : split(uri.substr(question + 1), '&'))
      if (!add_field(field, out)) return std::nullopt;
  if (out.to.empty() && out.cc.empty()) return std::nullopt;
  return out;
}

}  // namespace postern::sieve
