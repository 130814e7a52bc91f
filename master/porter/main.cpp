// porter: two processes with one descriptor table. The keeper only waits; its child holds the
// connections. When the child is killed the keeper starts another, which finds every descriptor
// in the table and every session in shared memory. When the keeper is killed the child becomes it.
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <ctime>

#include "lib/base/clock.h"
#include "lib/log/log.h"
#include "lib/service/exit_status.h"
#include "lib/service/inherited.h"
#include "master/porter/porter.h"

namespace postern::porter {
namespace {

constexpr std::int64_t kTooSoon = 1000;  // ms: a child that lives shorter died of its sessions
constexpr int kOrphaned = 100;           // exit codes between child and keeper loop
constexpr int kFinished = 0;

pid_t master_pid = 0;
pid_t keeper_pid = 0;

void on_signal(int) {}  // only ends a wait

/// Who is left above the child. master is the reaper of all its descendants.
Family family() {
  if (getppid() == keeper_pid) return Family::whole;
  return getppid() == master_pid ? Family::no_keeper : Family::no_master;
}
bool master_alive() { return getppid() == master_pid; }  // of the keeper

/// A process with its own memory and this process's descriptor table. fork() would copy the table,
/// and what the child accepts afterwards would die with it.
pid_t fork_with_shared_descriptors() {
  return static_cast<pid_t>(
      syscall(SYS_clone, CLONE_FILES | SIGCHLD, nullptr, nullptr, nullptr, 0));
}

void watch_parent() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigaction(SIGUSR2, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  signal(SIGTERM, SIG_IGN);  // master says shut_down through the control socket
  signal(SIGINT, SIG_IGN);
}

struct Inherited {
  service::Scoreboard scoreboard;
  ChangeBoard board;
  Fd door, control;
};

Result<Inherited> inherit() {
  auto scoreboard = TRY(service::inherited_scoreboard(true));
  auto board = TRY(service::inherited_board());
  auto door = TRY(service::env_fd(service::env::kDoor));
  auto control = TRY(service::env_fd(service::env::kControl));
  return Inherited{std::move(scoreboard), std::move(board), std::move(door), std::move(control)};
}

int hold_connections(Inherited& all) {
  service::ScoreboardHead& head = all.scoreboard.head();
  head.porter_pid.store(getpid());
  head.porter_starts.fetch_add(1);
  Porter porter(all.scoreboard, all.board, {all.door.get(), all.control.get()});
  switch (porter.run(family)) {
    case Porter::Outcome::finished:
      return kFinished;
    case Porter::Outcome::orphaned:
      return kOrphaned;
    case Porter::Outcome::no_master:
      break;
  }
  _exit(EX_UNAVAILABLE);
}

/// Starts and restarts the child; comes back in a child only to be the next keeper.
int keep(Inherited& all) {
  for (;;) {
    const std::int64_t began = steady_millis();
    const pid_t keeper = getpid();
    const pid_t child = fork_with_shared_descriptors();
    if (child < 0) return EX_OSERR;
    if (child == 0) {
      keeper_pid = keeper;
      service::signal_when_parent_dies();
      const int code = hold_connections(all);
      if (code != kOrphaned) _exit(code);
      LOG(error, "porter.keeper_died", {"pid", keeper});
      continue;  // from now on this process is the keeper
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
      if (!master_alive()) return EX_UNAVAILABLE;
    if (WIFEXITED(status) && WEXITSTATUS(status) == kFinished) return EX_OK;
    if (!master_alive()) return EX_UNAVAILABLE;
    LOG(error, "porter.died", {"pid", child}, {"how", service::describe_exit(status)});
    const timespec pause{0, 200'000'000};
    if (steady_millis() - began < kTooSoon && !WIFSIGNALED(status)) nanosleep(&pause, nullptr);
  }
}

Result<int> start(int argc, char** argv) {
  const auto arguments = TRY(service::parse_arguments(argc, argv));
  const auto config = TRY(service::load_config(arguments, "porter"));
  master_pid = static_cast<pid_t>(TRY(service::env_number(service::env::kMaster)));
  Inherited all = TRY(inherit());
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  watch_parent();
  service::signal_when_parent_dies();
  LOG(notice, "porter.start", {"sessions", all.scoreboard.head().sessions});
  return keep(all);
}

}  // namespace
}  // namespace postern::porter

int main(int argc, char** argv) {
  const auto code = postern::porter::start(argc, argv);
  if (code) return *code;
  std::fprintf(stderr, "porter: %s\n", code.error().text.c_str());
  return EX_CONFIG;
}
