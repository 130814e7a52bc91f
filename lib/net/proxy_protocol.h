// The PROXY protocol, versions 1 and 2 (HAProxy's proxy-protocol.txt): a load balancer says first
// who the client is. Believe it only from peers that the configuration names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace postern::net {

struct ProxyHeader {
  enum class State {
    incomplete,  // more octets are needed; nothing else is set
    local,       // LOCAL or UNKNOWN: the balancer speaks for itself; keep the socket's addresses
    proxied,
  } state = State::incomplete;
  std::size_t size = 0;        // octets to take off the stream
  std::string source_address;  // "192.0.2.1", "2001:db8::1"; a path or "" for AF_UNIX
  std::uint16_t source_port = 0;
  std::string destination_address;
  std::uint16_t destination_port = 0;
  // Version 2 extras, empty where not sent.
  bool tls = false;  // the client came to the balancer with TLS
  std::string tls_version, cipher, alpn;
  std::string authority;  // SNI
};

/// The longest header that is read: version 1 has 107 octets, version 2 gets this limit.
constexpr std::size_t kMaxProxyHeader = 4096;

/// Reads a header at the start of `bytes`. Depends on nothing but them.
/// @error bad_syntax  not a PROXY header, or a broken one: close the connection
/// @error too_big     longer than kMaxProxyHeader
Result<ProxyHeader> parse_proxy_header(std::string_view bytes);

}  // namespace postern::net
