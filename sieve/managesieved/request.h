// One ManageSieve command from the wire: a keyword and its arguments (RFC 5804 §4).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lib/base/result.h"
#include "lib/net/stream.h"

namespace postern::managesieved {

using Argument = std::variant<std::string, std::uint64_t>;  // string or number

struct Request {
  std::string keyword;  // upper case
  std::vector<Argument> arguments;
  bool too_big = false;  // a string over the limit was read and is not among the arguments

  /// The arguments as exactly `count` strings.
  /// @error bad_syntax
  [[nodiscard]] Result<std::vector<std::string>> strings(std::size_t count) const;
};

struct RequestLimits {
  std::size_t line = 8 << 10;     // without literals
  std::size_t literal = 1 << 20;  // octets of one string
};

/// Reads one command with its literals ({n+}, sent without waiting).
/// @error bad_syntax  answered NO; the command was read to its end
/// @error too_big     a line over its limit, or a string far over it: the connection can't go on
/// @error closed, timed_out, unavailable, io  of the stream
Result<Request> read_request(net::Stream& in, const RequestLimits& limits);

/// A string as the protocol sends it: quoted where that is allowed, else a literal.
std::string wire_string(std::string_view text);

}  // namespace postern::managesieved
