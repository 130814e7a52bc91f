// The event loop of transportd: accepts for implicit TLS, takes connections for STARTTLS, shakes
// hands, and passes a plain socket with the facts of the connection through porter's door. Takes
// connections for COMPRESS.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "lib/base/fd.h"
#include "lib/base/result.h"
#include "lib/net/fd_passing.h"
#include "lib/service/daemon.h"
#include "lib/service/transport_message.h"
#include "master/transportd/certificates.h"
#include "master/transportd/compress_relay.h"
#include "master/transportd/relay.h"

namespace postern::transportd {

using service::transport::ControlMessage;
using service::transport::Kind;

class Server {
 public:
  /// `control`: orders of master; `door`: porter's; `tls_door`: workers bring connections for
  /// STARTTLS; `handshake_limit` in ms.
  Server(Fd control, Fd door, Fd tls_door, std::int64_t handshake_limit);
  Result<void> prepare();
  /// Until master has gone or says stop and the last connection has ended.
  void run();

 private:
  struct Listener {
    Fd socket;
    std::string service;
    std::string alpn;
    std::string proxy_networks, allow_networks, deny_networks;

    /// The option that keeps a client of this address out, or "".
    [[nodiscard]] std::string_view refuses(const std::string& address) const;
  };
  /// What is known of a connection until porter knows it.
  struct Arrival {
    service::Facts facts;
    std::string alpn;
    std::int64_t deadline = 0;  // of the handshake
    Fd before_proxy;            // waits for its PROXY header; no relay yet
    int listener = -1;          // where it came from
  };
  struct Connection {
    std::unique_ptr<Flow> flow;
    Relay* relay = nullptr;                 // the flow, where it is TLS
    std::shared_ptr<TlsContexts> contexts;  // keeps the generation alive
    std::unique_ptr<Arrival> arrival;       // nothing once it is announced
    std::uint64_t session_id = 0;           // with COMPRESS, for the log
    bool shared = false;          // others have duplicates of the sockets (STARTTLS, COMPRESS)
    bool moved = true;            // since the last sweep
    std::int64_t give_up_at = 0;  // the session is over and the client takes nothing
    Flow::Interest watched;
  };
  /// What an event is about: kind in the low octet, descriptor or connection number above.
  enum class Source : std::uint8_t { control, hand_in, listener, tcp, plain };

  void on_event(std::uint64_t token);
  Result<void> watch_source(int fd, Source source, std::uint32_t events);
  void on_control();
  void on_hand_in();
  void begin_tls(net::Message message);
  void begin_compression(net::Message message);
  void obey(const ControlMessage& message, std::vector<Fd> descriptors);
  Result<void> gather_certificate(const ControlMessage& message, std::vector<Fd>& descriptors);
  Result<void> gather_profile(const ControlMessage& message, std::vector<Fd>& descriptors);
  void gather_tickets(std::string_view bytes);
  void apply();
  Result<void> make_contexts();
  void add_listener(const ControlMessage& message, Fd socket);
  void close_listeners();

  void accept_all(const Listener& listener);
  /// Whether another connection may come; logged if not.
  bool has_room();
  /// Once a second for each option.
  bool may_warn(const std::string& option);
  /// Whether a client may come; logged if not.
  bool admits(const Listener& listener, const service::Facts& facts);
  std::uint64_t arrive(service::Facts facts, const std::string& alpn);
  void begin(std::uint64_t number, Fd tcp, std::string_view cleartext = {});
  void read_proxy_header(std::uint64_t number, Connection& connection);
  Result<void> shake(Connection& connection, Fd tcp, std::string_view cleartext);
  void advance(std::uint64_t number);
  Result<void> announce(Connection& connection);
  Result<void> watch(std::uint64_t number, Connection& connection);
  Result<void> wait_for(int fd, std::uint32_t before, std::uint32_t events, std::uint64_t token);
  void unwatch(const Connection& connection);
  void drop(std::uint64_t number, std::string_view why);
  void sweep();
  [[nodiscard]] bool is_late(Connection& connection, std::int64_t now) const;
  void give_memory_back();
  [[nodiscard]] int wait_millis() const;
  void rest_after(int events);

  Fd control_, door_, tls_door_, epoll_;
  std::int64_t handshake_limit_;
  std::int64_t next_sweep_ = 0;
  std::map<std::string, std::int64_t> warned_;  // option: when its limit was last told of
  std::size_t most_connections_ = 0;
  std::size_t dropped_ = 0;  // connections since memory was last given back
  bool stopping_ = false, master_gone_ = false, active_lately_ = true;
  std::map<int, Listener> listeners_;
  std::unordered_map<std::uint64_t, Connection> connections_;
  std::uint64_t next_number_ = 1;
  Profile gathered_, active_;
  std::vector<TicketKey> tickets_;
  std::map<std::string, std::shared_ptr<TlsContexts>> contexts_;  // by ALPN name
};

}  // namespace postern::transportd
