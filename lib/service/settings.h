// The options of service.<name> as plain values. Services with the same daemon share one pool of
// workers; the pool's sizes are those of the first such service by name.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/config/config.h"
#include "lib/net/stream.h"

namespace postern::service {

struct ServiceSettings {
  std::string name;
  std::string daemon;
  std::vector<std::string> listen;
  std::string tls;  // "none", "starttls", "implicit"
  std::string socket_group;
  std::uint32_t socket_mode = 0660;
  std::uint32_t max_connections = 0;
  std::uint32_t max_per_address = 0;
  std::uint32_t max_per_user = 0;
  std::uint32_t max_active_per_user = 0;
  std::chrono::milliseconds login_timeout{0};
  // Networks as net::in_networks takes them.
  std::string proxy_networks, allow_networks, deny_networks;
};

struct PoolSettings {
  std::uint32_t min_spare = 0;
  std::uint32_t max_spare = 0;
  std::uint32_t max_workers = 0;
  std::uint32_t fork_rate = 0;      // a second
  std::uint64_t max_sessions = 0;   // a worker, 0: no limit
  std::uint64_t max_growth = 0;     // octets of private memory a worker, 0: no limit
  std::uint32_t max_pipelined = 0;  // commands in one go while others wait
  std::chrono::milliseconds linger{0};
};

/// @error bad_syntax  what isn't a network, by the name of its option
/// @error limit       more text than the scoreboard has room for
Result<void> check_networks(const ServiceSettings& service);

/// Time limits of a session of `service`: service.*.command_timeout and write_timeout.
net::Limits stream_limits(const config::Config& config, std::string_view service);

/// All services that are enabled, by name.
std::vector<ServiceSettings> service_settings(const config::Config& config);
PoolSettings pool_settings(const config::Config& config, std::string_view daemon);

}  // namespace postern::service
