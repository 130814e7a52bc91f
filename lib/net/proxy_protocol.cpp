#include "lib/net/proxy_protocol.h"

#include <arpa/inet.h>

#include <algorithm>

#include "lib/base/crc32c.h"
#include "lib/base/text.h"

namespace postern::net {
namespace {

constexpr std::string_view kSignature2("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::string_view kSignature1 = "PROXY ";
constexpr std::size_t kMaxLine1 = 107;  // with CRLF
constexpr std::size_t kFixed2 = 16;     // signature, version and command, family, length

Error broken(std::string_view what) { return fail(Errc::bad_syntax, "PROXY header: {}", what); }

std::uint16_t big16(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[at]) << 8 |
                                    static_cast<unsigned char>(bytes[at + 1]));
}

// --- Version 1: one line of text

Result<std::string> numeric_address(int family, std::string_view text) {
  const std::string address(text);
  unsigned char scratch[16];
  if (inet_pton(family, address.c_str(), scratch) != 1) return broken("bad address");
  return address;
}

Result<std::uint16_t> port_number(std::string_view text) {
  const auto port = parse_u32(text);
  if (!port || *port > 65535) return broken("bad port");
  return static_cast<std::uint16_t>(*port);
}

Result<ProxyHeader> parse_version1(std::string_view bytes) {
  const auto end = bytes.substr(0, kMaxLine1).find("\r\n");
  if (end == std::string_view::npos) {
    if (bytes.size() < kMaxLine1) return ProxyHeader{};
    return broken("line too long");
  }
  ProxyHeader out;
  out.size = end + 2;
  const auto words = split(bytes.substr(0, end), ' ');
  if (words[1] == "UNKNOWN") {
    out.state = ProxyHeader::State::local;
    return out;
  }
  const int family = words[1] == "TCP4" ? AF_INET : words[1] == "TCP6" ? AF_INET6 : AF_UNSPEC;
  if (family == AF_UNSPEC || words.size() != 6) return broken("bad line");
  out.state = ProxyHeader::State::proxied;
  out.source_address = TRY(numeric_address(family, words[2]));
  out.destination_address = TRY(numeric_address(family, words[3]));
  out.source_port = TRY(port_number(words[4]));
  out.destination_port = TRY(port_number(words[5]));
  return out;
}

// --- Version 2: binary, with type-length-value extras

/// Calls `take(type, value)` for each TLV. @error bad_syntax
template <typename Take>
Result<void> for_each_tlv(std::string_view bytes, Take take) {
  while (!bytes.empty()) {
    if (bytes.size() < 3) return broken("TLV ends early");
    const std::size_t size = big16(bytes, 1);
    if (bytes.size() < 3 + size) return broken("TLV ends early");
    TRY(take(static_cast<unsigned char>(bytes[0]), bytes.substr(3, size)));
    bytes.remove_prefix(3 + size);
  }
  return {};
}

/// PP2_TYPE_SSL: a byte of bits, 4 bytes "verify", then TLVs of its own.
Result<void> take_tls(std::string_view value, ProxyHeader& out) {
  if (value.size() < 5) return broken("TLS part ends early");
  out.tls = (value[0] & 1) != 0;
  return for_each_tlv(value.substr(5), [&out](unsigned type, std::string_view v) -> Result<void> {
    if (type == 0x21) out.tls_version = v;
    if (type == 0x23) out.cipher = v;
    return {};
  });
}

/// The checksum counts itself as four NULs.
Result<void> check_crc(std::string_view header, std::string_view value) {
  if (value.size() != 4) return broken("checksum of odd length");
  const auto at = static_cast<std::size_t>(value.data() - header.data());
  std::uint32_t crc = crc32c(header.substr(0, at));
  crc = crc32c(std::string_view("\0\0\0\0", 4), crc);
  crc = crc32c(header.substr(at + 4), crc);
  if (crc != (std::uint32_t{big16(value, 0)} << 16 | big16(value, 2))) return broken("checksum");
  return {};
}

Result<void> take_extras(std::string_view header, std::string_view tlvs, ProxyHeader& out) {
  return for_each_tlv(tlvs, [&](unsigned type, std::string_view value) -> Result<void> {
    switch (type) {
      case 0x01:
        out.alpn = value;
        return {};
      case 0x02:
        out.authority = value;
        return {};
      case 0x03:
        return check_crc(header, value);
      case 0x20:
        return take_tls(value, out);
      default:
        return {};
    }
  });
}

std::string ip_text(int family, std::string_view octets) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(family, octets.data(), text, sizeof text);
  return text;
}

/// Takes the addresses off `body`.
Result<void> take_addresses(unsigned family, std::string_view& body, ProxyHeader& out) {
  const std::size_t one = family == 1 ? 4 : family == 2 ? 16 : 108;
  const std::size_t all = family == 3 ? 216 : 2 * one + 4;
  if (body.size() < all) return broken("addresses end early");
  if (family == 3) {
    const std::string_view path = body.substr(0, one);
    out.source_address = path.substr(0, path.find('\0'));
    const std::string_view to = body.substr(one, one);
    out.destination_address = to.substr(0, to.find('\0'));
  } else {
    const int af = family == 1 ? AF_INET : AF_INET6;
    out.source_address = ip_text(af, body.substr(0, one));
    out.destination_address = ip_text(af, body.substr(one, one));
    out.source_port = big16(body, 2 * one);
    out.destination_port = big16(body, 2 * one + 2);
  }
  body.remove_prefix(all);
  return {};
}

Result<ProxyHeader> parse_version2(std::string_view bytes) {
  if (bytes.size() < kFixed2) return ProxyHeader{};
  const unsigned version_command = static_cast<unsigned char>(bytes[12]);
  const unsigned family_transport = static_cast<unsigned char>(bytes[13]);
  if (version_command >> 4 != 2 || (version_command & 15) > 1) return broken("version or command");
  const std::size_t size = kFixed2 + big16(bytes, 14);
  if (size > kMaxProxyHeader) return fail(Errc::too_big, "PROXY header of {} octets", size);
  if (bytes.size() < size) return ProxyHeader{};
  ProxyHeader out;
  out.size = size;
  const std::string_view header = bytes.substr(0, size);
  std::string_view body = header.substr(kFixed2);
  const unsigned family = family_transport >> 4;
  const bool stream = (family_transport & 15) == 1;
  // LOCAL, and families that we can't name: the balancer's own connection (its §2.2).
  if ((version_command & 15) == 0 || family == 0 || family > 3 || !stream) {
    out.state = ProxyHeader::State::local;
    return out;
  }
  out.state = ProxyHeader::State::proxied;
  TRY(take_addresses(family, body, out));
  TRY(take_extras(header, body, out));
  return out;
}

}  // namespace

Result<ProxyHeader> parse_proxy_header(std::string_view bytes) {
  const auto could_be = [bytes](std::string_view signature) {
    const std::size_t n = std::min(bytes.size(), signature.size());
    return bytes.substr(0, n) == signature.substr(0, n);
  };
  if (could_be(kSignature2))
    return bytes.size() < kSignature2.size() ? ProxyHeader{} : parse_version2(bytes);
  if (could_be(kSignature1))
    return bytes.size() < kSignature1.size() ? ProxyHeader{} : parse_version1(bytes);
  return broken("not there");
}

}  // namespace postern::net
