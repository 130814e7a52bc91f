// What master owes the system: directories, the pid file, systemd's notifications and sockets.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/fd.h"
#include "lib/base/result.h"
#include "lib/net/endpoint.h"
#include "master/child.h"

namespace postern::master {

/// Makes `path` and its parents; a directory that is new gets `mode` and the account.
Result<void> make_directory(const std::string& path, mode_t mode, const Account& account);

/// Writes our pid into `path` and keeps the file locked as long as the result lives.
/// @error in_use  another master holds it; the text names its pid
Result<Fd> lock_pid_file(const std::string& path);

/// sd_notify(3): "READY=1". Nothing happens without systemd.
void notify_system(std::string_view state);
/// Half of systemd's watchdog period in ms, 0 without one.
std::int64_t watchdog_period();

/// Listening sockets that systemd passed (sd_listen_fds(3)); each is given out once.
class ActivatedSockets {
 public:
  ActivatedSockets();
  /// The one bound to `endpoint`, or an empty Fd.
  Fd take(const net::Endpoint& endpoint);

 private:
  struct Socket {
    Fd fd;
    std::string bound;  // as Endpoint::text
  };
  std::vector<Socket> sockets_;
};

}  // namespace postern::master
