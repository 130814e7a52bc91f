// Where a server listens or a client connects: TCP on IPv4 or IPv6, or a Unix socket.
#pragma once

#include <sys/types.h>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/fd.h"
#include "lib/base/result.h"

namespace postern::net {

/// "127.0.0.1:143", "[::1]:143", "*:143" (all addresses, both families), "unix:/run/x" or "/run/x".
struct Endpoint {
  enum class Kind { ipv4, ipv6, unix_path } kind = Kind::ipv4;
  std::string host;  // numeric address, or the path; "::" for "*"
  std::uint16_t port = 0;
  bool both_families = false;  // "*": one IPv6 socket that takes IPv4 too

  /// Names aren't resolved. @error bad_syntax
  static Result<Endpoint> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
};

struct ListenOptions {
  int backlog = 1024;
  bool seqpacket = false;  // Unix sockets: SOCK_SEQPACKET in place of SOCK_STREAM
  mode_t mode = 0660;      // of a Unix socket
  std::string group;       // of a Unix socket; "" leaves it
};

/// A listening socket, close-on-exec, blocking. A Unix socket's path is replaced if nobody answers
/// there. "*" falls back to 0.0.0.0 where the host has no IPv6.
/// @error in_use  another process listens there; io
Result<Fd> listen_on(const Endpoint& endpoint, const ListenOptions& options = {});

/// A connected blocking socket, close-on-exec, TCP_NODELAY.
/// @error timed_out, unavailable (refused, or no socket at that path), io
Result<Fd> connect_to(const Endpoint& endpoint, std::chrono::milliseconds limit,
                      bool seqpacket = false);

/// One end of a connection as log lines and Facts show it.
struct Address {
  std::string host;  // "127.0.0.1", "::1" (IPv4 in IPv6 is shown as IPv4); "" for a Unix socket
  std::uint16_t port = 0;
  bool loopback = false;  // 127/8, ::1, Unix
};
Result<Address> peer_address(int socket);
Result<Address> local_address(int socket);

/// Whether `address` (numeric, as in Address::host) lies in `network` ("192.0.2.0/24",
/// "2001:db8::/32", a single address, or "unix" for the empty address).
/// @error bad_syntax  of the network
Result<bool> in_network(std::string_view address, std::string_view network);

/// Whether `address` lies in one of `networks`, which are separated by spaces. What isn't a network
/// is passed over.
bool in_networks(std::string_view address, std::string_view networks);

/// Small replies leave at once; no effect on Unix sockets.
void set_nodelay(int socket);

/// user id of the process at the other end of a Unix socket.
Result<uid_t> peer_uid(int socket);

}  // namespace postern::net
