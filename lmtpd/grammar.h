// What stands behind the verb of a command: paths and parameters (RFC 5321 §4.1.2), chunk sizes
// (RFC 3030 §2). Syntax only; every function takes any octets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

namespace postern::lmtp {

/// A mailbox as in MAIL and RCPT.
struct Address {
  std::string local;   // without quotes and backslashes
  std::string domain;  // "" in LMTP for a bare user name; an address literal with its brackets
  std::string raw;     // as it stood between the angle brackets, without a source route

  [[nodiscard]] std::string text() const { return domain.empty() ? local : local + '@' + domain; }
};

struct Parameter {
  std::string keyword;  // upper case
  std::optional<std::string> value;
};

struct PathArgument {
  std::optional<Address> address;  // nothing for "<>"
  std::vector<Parameter> parameters;
};

/// The argument of MAIL (`prefix` "FROM:") or RCPT ("TO:"). Space behind the colon is forgiven.
/// @error bad_syntax
Result<PathArgument> parse_path_argument(std::string_view argument, std::string_view prefix);

/// Domain or address-literal of LHLO; anything printable without brackets is let through, since
/// RFC 5321 §4.1.4 forbids to refuse mail for it.
/// @error bad_syntax
Result<std::string> parse_lhlo_name(std::string_view argument);

struct Chunk {
  std::uint64_t size = 0;
  bool last = false;
};
/// @error bad_syntax
Result<Chunk> parse_bdat(std::string_view argument);

/// RFC 3461 §4: "+" and two hex digits stand for any octet.
/// @error bad_syntax
Result<std::string> decode_xtext(std::string_view text);

}  // namespace postern::lmtp
