// Where posternadm connects to, as an administrator writes it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/net/endpoint.h"

namespace postern::tools {

/// The addresses of "HOST", "HOST:PORT", "::1", "[::1]:PORT" or the path of a Unix socket, in the
/// order in which they are to be tried. HOST is a name or a numeric address.
/// @error bad_syntax   a port that is none
/// @error unavailable  no such host
Result<std::vector<net::Endpoint>> find_server(std::string_view text, std::uint16_t default_port);

}  // namespace postern::tools
