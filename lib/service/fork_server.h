// The fork server of a pool: a process that has initialised once and forks a worker whenever too
// few are idle.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>

#include "lib/service/worker.h"

namespace postern::service {

class ForkServer {
 public:
  /// `event`: porter pokes this eventfd when sessions wait or few workers are idle.
  ForkServer(Daemon& daemon, const WorkerSetup& setup, Fd event)
      : daemon_(daemon), setup_(setup), event_(std::move(event)) {}

  /// Prepares the daemon, registers its greetings, forks until SIGTERM. An exit code.
  int run(std::int32_t master);

 private:
  Result<void> register_greetings();
  [[nodiscard]] bool superseded() const;
  void reap();
  /// Forks what is missing; gives the milliseconds until it wants to look again, -1: when poked.
  int fork_missing();
  [[nodiscard]] std::uint32_t missing() const;
  [[nodiscard]] std::uint32_t joining() const;
  void fork_worker();

  struct Child {
    std::int64_t forked_at = 0;
  };
  Daemon& daemon_;
  WorkerSetup setup_;
  Fd event_;
  Fd signals_;
  std::int32_t master_ = 0;
  std::map<pid_t, Child> children_;
  double tokens_ = 0;  // of the fork rate
  std::int64_t tokens_at_ = 0;
  std::uint32_t early_deaths_ = 0;  // in a row: workers that died before they joined
  std::int64_t not_before_ = 0;     // back-off after them
};

}  // namespace postern::service
