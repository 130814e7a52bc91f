#include "sieve/site/remote.h"

#include <algorithm>

#include "lib/base/text.h"
#include "lib/mime/header.h"
#include "lib/mime/message.h"

namespace postern::site {
namespace {

bool is_address(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return ascii_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f') || c == '.' ||
           c == ':';
  }) && text.find_first_of(".:") != std::string_view::npos;
}

bool is_host(std::string_view text) {
  return text.find('.') != std::string_view::npos && std::ranges::all_of(text, [](char c) {
           return ascii_alpha(c) || ascii_digit(c) || c == '.' || c == '-' || c == '_';
         });
}

/// "HELO (HOST [ADDRESS])" of the field.
std::string from_clause(std::string_view value) {
  const std::string flat = mime::unfold(value);
  const std::string_view text = trim(flat);
  if (!istarts_with(text, "from ")) return {};
  return std::string(trim(text.substr(5, text.find(" by ") - 5)));
}

/// The address in the first brackets that begin a word: what stands behind "helo=" is the peer's.
struct Bracketed {
  std::string_view before, address;
};
Bracketed bracketed(std::string_view text) {
  for (auto open = text.find('['); open != std::string_view::npos;
       open = text.find('[', open + 1)) {
    const auto close = text.find(']', open);
    if (close == std::string_view::npos || (open > 0 && text[open - 1] != ' ')) continue;
    auto address = text.substr(open + 1, close - open - 1);
    if (istarts_with(address, "IPv6:")) address.remove_prefix(5);
    if (is_address(address)) return {trim(text.substr(0, open)), address};
  }
  return {};
}

std::string_view last_word(std::string_view text) {
  return text.substr(text.find_last_of(' ') + 1);
}

Remote parse(std::string_view from) {
  const auto open = std::min(from.find('('), from.size());
  const auto comment = from.substr(std::min(open + 1, from.size()));
  const auto helo = trim(from.substr(0, open));
  Remote out;
  if (const auto inside = bracketed(comment); !inside.address.empty()) {
    out.ip = inside.address;
    // Exim names the host first and the HELO behind the address.
    const auto word = inside.before.empty() && comment.find(" helo=") != std::string_view::npos
                          ? helo
                          : last_word(inside.before);
    if (is_host(word)) out.host = word;
    return out;
  }
  out.ip = bracketed(helo).address;
  return out;
}

}  // namespace

Remote remote_of(std::string_view message) {
  std::size_t seen = 0;
  for (const auto& field : mime::scan_header(message).fields)
    if (iequals(field.name.of(message), "Received") && ++seen == 2)
      return parse(from_clause(field.value.of(message)));
  return {};
}

}  // namespace postern::site
