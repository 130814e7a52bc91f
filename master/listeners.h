// The listening sockets of all services: bound by master, handed to porter, kept over a reload.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lib/base/fd.h"
#include "lib/base/result.h"
#include "lib/service/settings.h"
#include "master/system.h"

namespace postern::master {

class Listeners {
 public:
  /// Binds what `services` ask for, keeps what is bound already, closes the rest. A service whose
  /// sockets can't all be bound is an error; what was bound before stays.
  Result<void> configure(const std::vector<service::ServiceSettings>& services,
                         ActivatedSockets& activated);
  struct Bound {
    std::string service;
    int fd;
  };
  [[nodiscard]] std::vector<Bound> all() const;

 private:
  struct Socket {
    std::string service;
    Fd fd;
  };
  std::map<std::string, Socket> sockets_;  // by Endpoint::text
};

}  // namespace postern::master
