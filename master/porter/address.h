// Addresses as session rows hold them: 16 octets, IPv4 mapped.
#pragma once

#include <string>
#include <string_view>

#include "lib/service/scoreboard.h"

namespace postern::porter {

/// Both ends of a connected socket, and the flags kLoopback and kLocal, into `row`.
void fill_addresses(int fd, service::SessionRow& row);
/// "127.0.0.1", "::1"; "" for a Unix socket.
std::string address_text(const service::AddressBytes& address, std::uint32_t flags);
/// All zero if `text` is no numeric address.
service::AddressBytes address_bytes(std::string_view text);
/// What limits count together: an IPv4 address, or the /64 of an IPv6 one.
std::string address_key(const service::AddressBytes& address);

}  // namespace postern::porter
