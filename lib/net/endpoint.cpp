#include "lib/net/endpoint.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <optional>

#include "lib/base/text.h"

namespace postern::net {
namespace {

struct SocketAddress {
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
    sockaddr_un path;
    sockaddr_storage storage;
  };
  socklen_t size = 0;
};

using Octets = std::array<unsigned char, 16>;

/// 16 octets, IPv4 as ::ffff:a.b.c.d.
std::optional<Octets> octets_of(const std::string& address) {
  Octets out{};
  if (inet_pton(AF_INET6, address.c_str(), out.data()) == 1) return out;
  out[10] = out[11] = 0xff;
  if (inet_pton(AF_INET, address.c_str(), out.data() + 12) == 1) return out;
  return std::nullopt;
}

Result<SocketAddress> socket_address(const Endpoint& endpoint) {
  SocketAddress out;
  std::memset(&out.storage, 0, sizeof out.storage);
  switch (endpoint.kind) {
    case Endpoint::Kind::ipv4:
      out.v4.sin_family = AF_INET;
      out.v4.sin_port = htons(endpoint.port);
      inet_pton(AF_INET, endpoint.host.c_str(), &out.v4.sin_addr);
      out.size = sizeof out.v4;
      break;
    case Endpoint::Kind::ipv6:
      out.v6.sin6_family = AF_INET6;
      out.v6.sin6_port = htons(endpoint.port);
      inet_pton(AF_INET6, endpoint.host.c_str(), &out.v6.sin6_addr);
      out.size = sizeof out.v6;
      break;
    case Endpoint::Kind::unix_path:
      if (endpoint.host.size() >= sizeof out.path.sun_path)
        return fail(Errc::bad_syntax, "socket path {} is too long", endpoint.host);
      out.path.sun_family = AF_UNIX;
      std::memcpy(out.path.sun_path, endpoint.host.data(), endpoint.host.size());
      out.size = sizeof out.path;
      break;
  }
  return out;
}

Result<Fd> make_socket(const Endpoint& endpoint, bool seqpacket) {
  const int family = endpoint.kind == Endpoint::Kind::ipv4   ? AF_INET
                     : endpoint.kind == Endpoint::Kind::ipv6 ? AF_INET6
                                                             : AF_UNIX;
  Fd fd(::socket(family, (seqpacket ? SOCK_SEQPACKET : SOCK_STREAM) | SOCK_CLOEXEC, 0));
  if (!fd) return errno_error("socket", endpoint.text());
  return fd;
}

/// A socket file that nobody answers on is left over from a process that was killed.
Result<void> remove_stale_socket(const Endpoint& endpoint, bool seqpacket) {
  struct stat st {};
  if (::lstat(endpoint.host.c_str(), &st) != 0) return {};
  if (!S_ISSOCK(st.st_mode))
    return fail(Errc::in_use, "{} exists and is not a socket", endpoint.host);
  const auto other = connect_to(endpoint, std::chrono::seconds(1), seqpacket);
  if (other || other.error().code != Errc::unavailable)
    return fail(Errc::in_use, "another process listens on {}", endpoint.host);
  if (::unlink(endpoint.host.c_str()) != 0) return errno_error("unlink", endpoint.host);
  return {};
}

Result<void> set_owner_and_mode(const Endpoint& endpoint, const ListenOptions& options) {
  const std::string& path = endpoint.host;
  if (!options.group.empty()) {
    const group* const g = ::getgrnam(options.group.c_str());
    if (g == nullptr) return fail(Errc::bad_syntax, "{}: no group {}", path, options.group);
    if (::chown(path.c_str(), static_cast<uid_t>(-1), g->gr_gid) != 0)
      return errno_error("chown", path);
  }
  if (::chmod(path.c_str(), options.mode) != 0) return errno_error("chmod", path);
  return {};
}

Result<Fd> listen_once(const Endpoint& endpoint, const ListenOptions& options) {
  const bool local = endpoint.kind == Endpoint::Kind::unix_path;
  if (local) TRY(remove_stale_socket(endpoint, options.seqpacket));
  Fd fd = TRY(make_socket(endpoint, options.seqpacket));
  const int on = 1;
  const int only_v6 = endpoint.both_families ? 0 : 1;
  if (!local) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (endpoint.kind == Endpoint::Kind::ipv6)
    ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, sizeof only_v6);
  const SocketAddress address = TRY(socket_address(endpoint));
  if (::bind(fd.get(), &address.any, address.size) != 0) {
    if (errno == EADDRINUSE) return fail(Errc::in_use, "bind {}: EADDRINUSE", endpoint.text());
    return errno_error("bind", endpoint.text());
  }
  if (local) TRY(set_owner_and_mode(endpoint, options));
  if (::listen(fd.get(), options.backlog) != 0) return errno_error("listen", endpoint.text());
  return fd;
}

Result<void> wait_for_connection(const Fd& fd, const Endpoint& endpoint,
                                 std::chrono::milliseconds limit) {
  pollfd p{fd.get(), POLLOUT, 0};
  int n = 0;
  do n = ::poll(&p, 1, static_cast<int>(limit.count()));
  while (n < 0 && errno == EINTR);
  if (n == 0) return fail(Errc::timed_out, "connect {}: no answer", endpoint.text());
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error == 0) return {};
  errno = error;
  if (error == ECONNREFUSED) return fail(Errc::unavailable, "connect {}: refused", endpoint.text());
  return errno_error("connect", endpoint.text());
}

Address address_of(const SocketAddress& from) {
  char text[INET6_ADDRSTRLEN] = "";
  if (from.any.sa_family == AF_INET) {
    inet_ntop(AF_INET, &from.v4.sin_addr, text, sizeof text);
    return {text, ntohs(from.v4.sin_port), (ntohl(from.v4.sin_addr.s_addr) >> 24) == 127};
  }
  if (from.any.sa_family != AF_INET6) return {"", 0, true};
  const in6_addr& a = from.v6.sin6_addr;
  const bool mapped = IN6_IS_ADDR_V4MAPPED(&a);
  if (mapped)
    inet_ntop(AF_INET, a.s6_addr + 12, text, sizeof text);
  else
    inet_ntop(AF_INET6, &a, text, sizeof text);
  const bool loopback = mapped ? a.s6_addr[12] == 127 : IN6_IS_ADDR_LOOPBACK(&a);
  return {text, ntohs(from.v6.sin6_port), loopback};
}

bool same_prefix(const Octets& a, const Octets& b, unsigned bits) {
  const unsigned whole = bits / 8;
  if (std::memcmp(a.data(), b.data(), whole) != 0) return false;
  if (bits % 8 == 0) return true;
  const unsigned mask = 0xff00U >> (bits % 8) & 0xffU;
  return (a[whole] & mask) == (b[whole] & mask);
}

}  // namespace

Result<Endpoint> Endpoint::parse(std::string_view text) {
  if (text.starts_with("unix:")) text.remove_prefix(5);
  if (text.starts_with('/')) return Endpoint{Kind::unix_path, std::string(text), 0, false};
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return fail(Errc::bad_syntax, "'{}' is neither ADDRESS:PORT nor a path", text);
  const auto port = parse_u32(text.substr(colon + 1));
  if (!port || *port > 65535) return fail(Errc::bad_syntax, "'{}' has no valid port", text);
  std::string_view host = text.substr(0, colon);
  const auto port16 = static_cast<std::uint16_t>(*port);
  if (host == "*") return Endpoint{Kind::ipv6, "::", port16, true};
  Octets scratch;
  if (host.starts_with('[') && host.ends_with(']')) {
    std::string inner(host.substr(1, host.size() - 2));
    if (inet_pton(AF_INET6, inner.c_str(), scratch.data()) == 1)
      return Endpoint{Kind::ipv6, std::move(inner), port16, false};
  } else if (inet_pton(AF_INET, std::string(host).c_str(), scratch.data()) == 1) {
    return Endpoint{Kind::ipv4, std::string(host), port16, false};
  }
  return fail(Errc::bad_syntax, "'{}' is not a numeric address", host);
}

std::string Endpoint::text() const {
  if (kind == Kind::unix_path) return "unix:" + host;
  if (both_families) return fmt::format("*:{}", port);
  return kind == Kind::ipv6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

Result<Fd> listen_on(const Endpoint& endpoint, const ListenOptions& options) {
  auto fd = listen_once(endpoint, options);
  if (fd || !endpoint.both_families || fd.error().code == Errc::in_use) return fd;
  return listen_once({Endpoint::Kind::ipv4, "0.0.0.0", endpoint.port, false}, options);
}

Result<Fd> connect_to(const Endpoint& endpoint, std::chrono::milliseconds limit, bool seqpacket) {
  Fd fd = TRY(make_socket(endpoint, seqpacket));
  const SocketAddress address = TRY(socket_address(endpoint));
  const int flags = ::fcntl(fd.get(), F_GETFL);
  ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK);
  if (::connect(fd.get(), &address.any, address.size) != 0) {
    if (errno == ECONNREFUSED || errno == ENOENT || errno == EAGAIN)
      return fail(Errc::unavailable, "connect {}: nobody listens there", endpoint.text());
    if (errno != EINPROGRESS) return errno_error("connect", endpoint.text());
    TRY(wait_for_connection(fd, endpoint, limit));
  }
  ::fcntl(fd.get(), F_SETFL, flags);
  set_nodelay(fd.get());
  return fd;
}

Result<Address> peer_address(int socket) {
  SocketAddress from;
  from.size = sizeof from.storage;
  if (::getpeername(socket, &from.any, &from.size) != 0)
    return errno_error("getpeername", "socket");
  return address_of(from);
}

Result<Address> local_address(int socket) {
  SocketAddress from;
  from.size = sizeof from.storage;
  if (::getsockname(socket, &from.any, &from.size) != 0)
    return errno_error("getsockname", "socket");
  return address_of(from);
}

Result<bool> in_network(std::string_view address, std::string_view network) {
  if (network == "unix") return address.empty();
  const auto slash = network.find('/');
  const std::string base(network.substr(0, slash));
  const auto of_network = octets_of(base);
  if (!of_network) return fail(Errc::bad_syntax, "'{}' is not a network", network);
  const unsigned offset = base.find(':') == std::string::npos ? 96 : 0;
  unsigned bits = 128;
  if (slash != std::string_view::npos) {
    const auto given = parse_u32(network.substr(slash + 1));
    if (!given || *given > 128 - offset)
      return fail(Errc::bad_syntax, "'{}' has no valid prefix length", network);
    bits = offset + *given;
  }
  const auto of_address = octets_of(std::string(address));
  return of_address && same_prefix(*of_address, *of_network, bits);
}

bool in_networks(std::string_view address, std::string_view networks) {
  if (networks.empty()) return false;
  for (const std::string_view network : split(networks, ' ')) {
    const auto inside = in_network(address, network);
    if (inside && *inside) return true;
  }
  return false;
}

void set_nodelay(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Result<uid_t> peer_uid(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
    return errno_error("SO_PEERCRED", "socket");
  return peer.uid;
}

}  // namespace postern::net
