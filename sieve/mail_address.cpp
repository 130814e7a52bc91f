// Parts of addresses (RFC 5228 §2.7.4, RFC 5233).
#include "sieve/mail_address.h"

#include <algorithm>

#include "lib/base/text.h"

namespace postern::sieve {

std::optional<std::string> part_of(const mime::Address& address, AddressPart part,
                                   std::string_view separators) {
  const auto at = address.local_part.find_first_of(separators);
  switch (part) {
    case AddressPart::all:
      return address.addr_spec();
    case AddressPart::localpart:
      return address.local_part;
    case AddressPart::domain:
      if (!address.has_domain) return std::nullopt;
      return address.domain;
    case AddressPart::user:
      return address.local_part.substr(0, at);
    case AddressPart::detail:
      if (at == std::string::npos) return std::nullopt;
      return address.local_part.substr(at + 1);
  }
  return std::nullopt;
}

std::optional<mime::Address> single_address(std::string_view text) {
  auto list = mime::parse_address_list(text, 16);
  if (list.size() != 1 || list.front().kind != mime::Address::Kind::mailbox) return std::nullopt;
  const auto& address = list.front();
  const auto odd = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7F; };
  if (!address.has_domain || address.domain.empty() || address.local_part.empty() ||
      std::ranges::any_of(address.addr_spec(), odd) || !address.route.empty())
    return std::nullopt;
  // The parser makes the best of junk; a script's address has to be one.
  if (address.domain.find_first_of("@<>,;") != std::string::npos) return std::nullopt;
  const bool plain = trim(text) == address.addr_spec();
  if (!plain && !trim(text).ends_with("<" + address.addr_spec() + ">")) return std::nullopt;
  return list.front();
}

bool same_address(std::string_view a, std::string_view b) { return iequals(a, b); }

}  // namespace postern::sieve
