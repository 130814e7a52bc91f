// What transportd gives up before it meets a peer: root, the file system, and nearly all system
// calls. Everything it needs (sockets, epoll, OpenSSL's providers) is there before.
#pragma once

#include <string>

#include "lib/base/result.h"

namespace postern::transportd {

struct Jail {
  std::string user;  // when root: the user to become
  std::string root;  // when root: an empty directory to chroot to
};

/// Steps that need root are left out when the process isn't; a kernel without Landlock is logged.
/// @error io  with the step that failed: the caller ends, it never serves unprotected
Result<void> enter_jail(const Jail& jail);

}  // namespace postern::transportd
