// The Unix socket by which tools ask master: who (the scoreboard's descriptor), board (the
// change board's), kick.
#pragma once

#include <sys/poll.h>

#include <span>
#include <string>
#include <vector>

#include "lib/base/fd.h"
#include "lib/base/result.h"

namespace postern::master {

class ControlSocket {
 public:
  /// Listens at `path`, mode 0600.
  Result<void> open(const std::string& path);
  /// What to poll for input.
  [[nodiscard]] std::vector<int> descriptors() const;
  struct Request {
    std::string text;  // "who", "kick anna"
    int peer;          // answer there
  };
  /// Accepts, reads what has come, drops who left. Never waits.
  std::vector<Request> requests();
  /// One message, perhaps with descriptors; a peer that doesn't read loses it.
  static void answer(const Request& request, std::string_view text,
                     std::span<const int> descriptors = {});

 private:
  Fd listener_;
  std::vector<Fd> peers_;
};

}  // namespace postern::master
