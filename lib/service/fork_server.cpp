#include "lib/service/fork_server.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

#include <algorithm>
#include <set>

#include "lib/base/clock.h"
#include "lib/base/program_pages.h"
#include "lib/log/log.h"
#include "lib/net/fd_passing.h"
#include "lib/service/exit_status.h"
#include "lib/service/inherited.h"

namespace postern::service {
namespace {

constexpr std::int64_t kEarly = 2'000;     // ms: a worker that dies this young was never well
constexpr std::int64_t kJoinTime = 5'000;  // ms in which a forked worker counts as coming
constexpr std::int64_t kLongestWait = 5'000;

Fd block_and_open_signals() {
  sigset_t wanted;
  sigemptyset(&wanted);
  for (const int signal : {SIGCHLD, SIGTERM, SIGINT}) sigaddset(&wanted, signal);
  sigprocmask(SIG_BLOCK, &wanted, nullptr);
  return Fd{signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK)};
}

/// Whether one of the waiting signals asks the process to end.
bool asked_to_end(int signals) {
  signalfd_siginfo info{};
  bool end = false;
  while (::read(signals, &info, sizeof info) == sizeof info)
    end = end || info.ssi_signo != static_cast<std::uint32_t>(SIGCHLD);
  return end;
}

/// The sanitizer does it in exit(), which a worker must not call: its parent's handlers would run.
void look_for_leaks() {
#if defined(__SANITIZE_ADDRESS__)
  __lsan_do_leak_check();
#endif
}

}  // namespace

int ForkServer::run(std::int32_t master) {
  master_ = master;
  end_with_master(master, master);
  signal(SIGHUP, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  signals_ = block_and_open_signals();
  auto ready = daemon_.prepare(*setup_.config);
  if (ready) ready = register_greetings();
  if (!ready) {
    LOG(error, "daemon.failed", {"daemon", daemon_.name()}, {"error", ready.error().text});
    return EX_CONFIG;
  }
  LOG(notice, "daemon.start", {"daemon", daemon_.name()}, {"generation", setup_.generation});
  let_go_of_program_pages();  // the start has read much of them
  for (;;) {
    const int wait = fork_missing();
    pollfd items[] = {{event_.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}};
    ::poll(items, 2, wait);
    std::uint64_t pokes = 0;
    [[maybe_unused]] const auto drained = ::read(event_.get(), &pokes, sizeof pokes);
    // Workers go on; master is their parent then.
    if (asked_to_end(signals_.get()) || superseded()) return EX_OK;
    reap();
  }
}

/// A reload started another fork server, and it is ready.
bool ForkServer::superseded() const {
  return setup_.scoreboard->head().pools[setup_.pool].generation.load() > setup_.generation;
}

Result<void> ForkServer::register_greetings() {
  Greetings all;
  all.pool = setup_.pool;
  all.generation = setup_.generation;
  all.needs_login = daemon_.needs_login();
  for (std::size_t i = 0; i < all.greeting.size(); ++i)
    all.greeting[i] = daemon_.greeting(*setup_.config, (i & 1) != 0, (i & 2) != 0);
  for (std::size_t i = 0; i < all.goodbye.size(); ++i)
    all.goodbye[i] = daemon_.goodbye(static_cast<Goodbye>(i));
  return net::send_message(setup_.door, encode(all));
}

void ForkServer::reap() {
  int status = 0;
  pid_t pid = 0;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    const auto child = children_.find(pid);
    if (child == children_.end()) continue;
    // SIGKILL comes from outside and says nothing about the program.
    const bool failed = status != 0 && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    const bool early = failed && steady_millis() - child->second.forked_at < kEarly;
    children_.erase(child);
    early_deaths_ = early ? early_deaths_ + 1 : 0;
    if (early && early_deaths_ > 2)
      not_before_ = steady_millis() +
                    std::min<std::int64_t>(kLongestWait, 50LL << std::min(early_deaths_, 7U));
    if (status != 0)
      LOG(error, "worker.died", {"daemon", daemon_.name()}, {"pid", pid},
          {"how", describe_exit(status)});
  }
}

/// Forked workers that porter doesn't know yet.
std::uint32_t ForkServer::joining() const {
  std::set<pid_t> joined;
  for (const WorkerRow& row : setup_.scoreboard->used_workers())
    if (row.state.load() != WorkerState::none && row.pool == setup_.pool) joined.insert(row.pid);
  const std::int64_t now = steady_millis();
  return static_cast<std::uint32_t>(std::ranges::count_if(children_, [&](const auto& child) {
    return !joined.contains(child.first) && now - child.second.forked_at < kJoinTime;
  }));
}

std::uint32_t ForkServer::missing() const {
  const PoolRow& pool = setup_.scoreboard->head().pools[setup_.pool];
  const std::uint32_t coming = joining();
  const std::uint32_t have = pool.idle.load() + coming;
  const std::uint32_t want = setup_.settings.min_spare + pool.waiting.load();
  const std::uint32_t total = pool.workers.load() + coming;
  if (have >= want || total >= setup_.settings.max_workers) return 0;
  return std::min(want - have, setup_.settings.max_workers - total);
}

int ForkServer::fork_missing() {
  const std::int64_t now = steady_millis();
  if (now < not_before_) return static_cast<int>(not_before_ - now);
  tokens_ = std::min<double>(
      setup_.settings.fork_rate,
      tokens_ + static_cast<double>((now - tokens_at_) * setup_.settings.fork_rate) / 1000.0);
  tokens_at_ = now;
  std::uint32_t wanted = missing();
  while (wanted > 0 && tokens_ >= 1) {
    fork_worker();
    --wanted;
    tokens_ -= 1;
  }
  const bool waiting = setup_.scoreboard->head().pools[setup_.pool].waiting.load() != 0;
  if (wanted > 0 || waiting) return 20;  // the rate holds us back, or our children are on their way
  return 1000;                           // a poke may be lost with a porter that is killed
}

void ForkServer::fork_worker() {
  const pid_t self = getpid();
  const pid_t pid = fork();
  if (pid > 0) {
    children_[pid] = {steady_millis()};
    return;
  }
  if (pid < 0) {
    LOG(error, "worker.fork_failed", {"daemon", daemon_.name()},
        {"error", errno_error("fork", daemon_.name()).text});
    not_before_ = steady_millis() + kLongestWait;
    return;
  }
  end_with_master(master_, self);
  signals_.reset();
  event_.reset();
  children_.clear();
  const int status = Worker(daemon_, setup_).run();
  look_for_leaks();
  _exit(status);
}

}  // namespace postern::service
