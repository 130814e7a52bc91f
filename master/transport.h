// Transport: master's side of transportd. Opens certificates and keys, which only root can read,
// and passes their descriptors; makes and rotates the ticket keys that all transportds share; says
// where to listen for implicit TLS.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "lib/base/fd.h"
#include "lib/base/result.h"
#include "lib/config/config.h"
#include "lib/service/transport_message.h"

namespace postern::master {

class Transport {
 public:
  /// A listening socket that transportd takes instead of porter.
  struct Listener {
    std::string service;
    std::string alpn;
    std::string proxy_networks, allow_networks, deny_networks;
    int fd = -1;
  };

  /// Whether the configuration names a certificate: without one there is no transportd.
  static bool is_wanted(const config::Config& config);
  static std::uint32_t processes(const config::Config& config);

  /// The socketpair at which workers hand in connections for STARTTLS.
  Result<void> make_door();
  [[nodiscard]] int door_inner() const { return door_inner_.get(); }
  [[nodiscard]] int door_outer() const { return door_outer_.get(); }

  /// The control sockets of a new transportd: ours stays here under `number`.
  Result<Fd> open_control(std::uint32_t number);
  /// Everything it needs: keys, tickets, listeners. A file that can't be opened is logged, and the
  /// transportds keep what they have.
  void tell(std::uint32_t number, const config::Config& config,
            const std::vector<Listener>& listeners);
  void stop_all();
  /// Answers of transportds, rotation of ticket keys, changed files: once a second.
  /// True: the files changed, tell everybody again.
  bool look(const config::Config& config);

 private:
  struct Order {
    service::transport::ControlMessage message;
    std::vector<Fd> descriptors;
  };
  Result<std::vector<Order>> key_orders(const config::Config& config) const;
  void rotate_tickets();
  void send(std::uint32_t number, const Order& order, int descriptor = -1);
  void read_answers();

  Fd door_inner_, door_outer_;
  std::map<std::uint32_t, Fd> controls_;
  std::string tickets_;          // newest first
  std::int64_t rotated_at_ = 0;  // steady ms
  std::int64_t looked_at_ = 0;
  std::string fingerprint_;  // of the files: names, inodes, times
};

}  // namespace postern::master
