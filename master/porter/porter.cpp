#include "master/porter/porter.h"

#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <functional>

#include "lib/base/assert.h"
#include "lib/base/clock.h"
#include "lib/base/program_pages.h"
#include "lib/log/log.h"

namespace postern::porter {
namespace {

constexpr std::int64_t kSweepEvery = 1000;  // ms
constexpr int kEventsATurn = 256;
constexpr std::int64_t kSpareLife = 60'000;  // ms until a worker too many is ended
constexpr std::size_t kWorthTidying = 256;   // sessions that have ended
constexpr std::uintptr_t kPage = 4096;

/// Signals come while we wait and at no other time, so that the keeper's death is seen at once:
/// until then nobody could replace us.
class WaitSignals {
 public:
  WaitSignals() {
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGUSR2);
    sigprocmask(SIG_BLOCK, &wanted, &before_);
  }
  WaitSignals(const WaitSignals&) = delete;
  WaitSignals& operator=(const WaitSignals&) = delete;
  ~WaitSignals() { sigprocmask(SIG_SETMASK, &before_, nullptr); }
  [[nodiscard]] const sigset_t* before() const { return &before_; }

 private:
  sigset_t before_;
};

std::uintptr_t round_up(std::uintptr_t address) { return (address + kPage - 1) / kPage * kPage; }

}  // namespace

Porter::Porter(service::Scoreboard& scoreboard, ChangeBoard& board, Doors doors)
    : scoreboard_(scoreboard),
      head_(scoreboard.head()),
      rows_(scoreboard.sessions()),
      board_(board),
      doors_(doors),
      heap_(scoreboard.heap(), scoreboard.head().heap_size) {}

Porter::Outcome Porter::run(Family (*family)()) {
  recover();
  const WaitSignals signals;
  std::array<epoll_event, kEventsATurn> events;
  while (!nothing_left()) {
    const std::int64_t wait = timers_.wait(steady_millis(), kSweepEvery);
    const int count = epoll_pwait(epoll_.get(), events.data(), kEventsATurn, static_cast<int>(wait),
                                  signals.before());
    now_ = steady_millis();
    const Family left = family();
    if (left == Family::no_master) return Outcome::no_master;
    if (left == Family::no_keeper) return Outcome::orphaned;
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      handle(event.data.u64, event.events);
    }
    if (master_gone_) return Outcome::no_master;  // the signal may have come before its handler
    run_timers();
    for (std::uint32_t pool = 0; pool < service::kMaxPools; ++pool) dispatch(pool);
    if (now_ - swept_at_ >= kSweepEvery) sweep();
  }
  return Outcome::finished;
}

void Porter::watch_descriptor(int fd, Source source, std::uint32_t index, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = std::uint64_t{static_cast<std::uint32_t>(source)} << 32 | index;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0 || errno == EEXIST) return;
  LOG(error, "porter.epoll_failed", {"fd", fd}, {"error", errno_error("epoll_ctl", "add").text});
}

void Porter::handle(std::uint64_t tag, std::uint32_t events) {
  const auto index = static_cast<std::uint32_t>(tag);
  switch (static_cast<Source>(tag >> 32)) {
    case Source::door:
      return read_door();
    case Source::control:
      return read_control();
    case Source::board:
      for (const std::uint32_t slot : board_.take_dirty())
        watches_.for_each(slot, [&](std::uint32_t session) { news_for(session); });
      return;
    case Source::listener:
      return accept_from(index);
    case Source::worker:
      return read_worker(index);
    case Source::session:
      return session_event(index, events);
  }
}

void Porter::run_timers() {
  std::uint32_t slot = 0;
  while (timers_.take_due(now_, slot)) session_due(slot);
}

/// Each second: changes whose hint was lost, workers too many, pokes that were lost, memory.
void Porter::sweep() {
  swept_at_ = now_;
  watches_.for_all([&](std::uint32_t session, const service::Watch& watch) {
    if (board_.value(watch.slot) != watch.seen) news_for(session);
  });
  for (std::uint32_t p = 0; p < service::kMaxPools; ++p) {
    Pool& pool = pools_[p];
    if (pool.idle.size() > head_.pools[p].max_spare &&
        now_ - head_.workers[pool.idle.front()].since > kSpareLife)
      retire_worker(pool.idle.front());
    poke(p);
  }
  heap_.trim();
  const std::size_t open = head_.sessions_top.load() - free_rows_.size();
  if (ended_ >= std::max<std::size_t>(kWorthTidying, open)) tidy();
}

/// After a rush hour: rows, lists and heap are as small again as what is left needs.
void Porter::tidy() {
  ended_ = 0;
  std::uint32_t top = head_.sessions_top.load();
  while (top > 0 && rows_[top - 1].state.load() == SessionState::free) --top;
  release_free_rows();
  head_.sessions_top.store(top);
  std::erase_if(free_rows_, [top](std::uint32_t slot) { return slot >= top; });
  std::ranges::sort(free_rows_, std::greater<>());  // low ones are taken first, so the top empties
  free_rows_.shrink_to_fit();
  if (locals_.size() > top) locals_.resize(top);
  locals_.shrink_to_fit();
  watches_.tidy(top);
  timers_.tidy(
      top, [this](std::uint32_t slot) { return rows_[slot].state.load() != SessionState::free; });
  malloc_trim(0);
  let_go_of_program_pages();
}

/// Pages that hold nothing but free rows. The kernel gives them back as zeros: free rows.
void Porter::release_free_rows() {
  static_assert(static_cast<std::uint32_t>(SessionState::free) == 0);
  const auto used = scoreboard_.used_sessions();
  for (std::size_t first = 0; first < used.size(); ++first) {
    std::size_t end = first;
    while (end < used.size() && used[end].state.load() == SessionState::free) ++end;
    const std::uintptr_t from = round_up(reinterpret_cast<std::uintptr_t>(used.data() + first));
    const std::uintptr_t to = reinterpret_cast<std::uintptr_t>(used.data() + end) / kPage * kPage;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the ends of whole pages
    if (from < to) madvise(reinterpret_cast<void*>(from), to - from, MADV_REMOVE);
    first = end;
  }
}

bool Porter::nothing_left() const {
  if (head_.stopping.load() == 0) return false;
  for (const SessionRow& row : scoreboard_.used_sessions())
    if (row.state.load() != SessionState::free) return false;
  return true;
}

}  // namespace postern::porter
