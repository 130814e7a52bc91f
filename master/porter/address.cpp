#include "master/porter/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

namespace postern::porter {
namespace {

constexpr std::size_t kMappedPrefix = 12;  // ::ffff:0:0/96, RFC 4291 §2.5.5.2

bool is_mapped(const service::AddressBytes& address) {
  static constexpr unsigned char prefix[kMappedPrefix] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::memcmp(address.data(), prefix, kMappedPrefix) == 0;
}

service::AddressBytes mapped(const in_addr& address) {
  service::AddressBytes out{};
  out[10] = out[11] = 0xff;
  std::memcpy(out.data() + kMappedPrefix, &address, sizeof address);
  return out;
}

bool is_loopback(const service::AddressBytes& address) {
  if (is_mapped(address)) return address[kMappedPrefix] == 127;
  in6_addr raw{};
  std::memcpy(&raw, address.data(), sizeof raw);
  return IN6_IS_ADDR_LOOPBACK(&raw);
}

void take_address(const sockaddr_storage& from, service::AddressBytes& address,
                  std::uint16_t& port) {
  if (from.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(from);
    address = mapped(in.sin_addr);
    port = ntohs(in.sin_port);
  } else if (from.ss_family == AF_INET6) {
    const auto& in = reinterpret_cast<const sockaddr_in6&>(from);
    std::memcpy(address.data(), &in.sin6_addr, address.size());
    port = ntohs(in.sin6_port);
  }
}

}  // namespace

void fill_addresses(int fd, service::SessionRow& row) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0)
    take_address(address, row.peer, row.peer_port);
  if (address.ss_family == AF_UNIX) {
    row.flags |= service::SessionRow::kLocal | service::SessionRow::kLoopback;
    return;
  }
  size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0)
    take_address(address, row.local, row.local_port);
  if (is_loopback(row.peer) || row.peer == row.local) row.flags |= service::SessionRow::kLoopback;
}

std::string address_text(const service::AddressBytes& address, std::uint32_t flags) {
  if ((flags & service::SessionRow::kLocal) != 0) return {};
  char text[INET6_ADDRSTRLEN] = "";
  if (is_mapped(address))
    inet_ntop(AF_INET, address.data() + kMappedPrefix, text, sizeof text);
  else
    inet_ntop(AF_INET6, address.data(), text, sizeof text);
  return text;
}

service::AddressBytes address_bytes(std::string_view text) {
  const std::string terminated(text);
  in_addr four{};
  if (inet_pton(AF_INET, terminated.c_str(), &four) == 1) return mapped(four);
  service::AddressBytes out{};
  in6_addr six{};
  if (inet_pton(AF_INET6, terminated.c_str(), &six) == 1) std::memcpy(out.data(), &six, out.size());
  return out;
}

std::string address_key(const service::AddressBytes& address) {
  const std::size_t size = is_mapped(address) ? address.size() : 8;
  return {reinterpret_cast<const char*>(address.data()), size};
}

}  // namespace postern::porter
