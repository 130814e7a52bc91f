// What master and transportd say to each other over transportd's control socket (SEQPACKET): an
// octet for the kind, a TLV record, descriptors. Connections for STARTTLS come through the TLS
// door, finished ones leave through porter's door (lib/service/message.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

namespace postern::service::transport {

inline constexpr std::size_t kMaxMessage = 64 << 10;

enum class Kind : std::uint8_t {
  none,
  certificate,  // master: names, ocsp flag; descriptors: chain, key[, ocsp]. Gathered until `apply`
  profile,      // master: tls12, ciphers; descriptor: client CAs, or none
  tickets,      // master: keys, newest first
  apply,        // master: use what was gathered since the last apply
  applied,      // transportd's answer: error text, empty for success
  listener,     // master: service, alpn; descriptor: a listening socket. Implicit TLS
  unlisten,     // master: close all listeners
  stop,         // master: no new connections; end when the last has gone
};

/// One message of any kind; unused fields are empty.
struct ControlMessage {
  Kind kind = Kind::none;
  std::vector<std::string> names;  // certificate: server names
  bool has_ocsp = false;
  bool tls12 = true;
  std::string ciphers;
  std::string tickets;  // 80 octets a key: name 16, AES 32, HMAC 32
  std::string service;  // listener
  std::string alpn;     // listener: protocol name, "" for none
  // listener: lists of networks; from the first a PROXY header comes before TLS
  std::string proxy_networks, allow_networks, deny_networks;
  std::string error;  // applied
};

std::string encode(const ControlMessage& message);
/// @error bad_syntax, not_supported (a critical field that is not known)
Result<ControlMessage> decode_control(std::string_view bytes);

}  // namespace postern::service::transport
