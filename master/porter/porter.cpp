#include "master/porter/porter.h"

#include <fcntl.h>
#include <sys/epoll.h>

#include <cerrno>

#include "lib/base/assert.h"
#include "lib/base/clock.h"
#include "lib/log/log.h"

namespace postern::porter {
namespace {

constexpr std::int64_t kSweepEvery = 1000;  // ms
constexpr int kEventsATurn = 256;
constexpr std::int64_t kSpareLife = 60'000;  // ms until a worker too many is ended

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
  std::array<epoll_event, kEventsATurn> events;
  while (!nothing_left()) {
    const std::int64_t wait = timers_.wait(steady_millis(), kSweepEvery);
    const int count = epoll_wait(epoll_.get(), events.data(), kEventsATurn, static_cast<int>(wait));
    now_ = steady_millis();
    if (count < 0 || now_ - swept_at_ >= kSweepEvery) {  // a signal may come between two waits
      const Family left = family();
      if (left == Family::no_master) return Outcome::no_master;
      if (left == Family::no_keeper) return Outcome::orphaned;
    }
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
}

bool Porter::nothing_left() const {
  if (head_.stopping.load() == 0) return false;
  for (const SessionRow& row : scoreboard_.used_sessions())
    if (row.state.load() != SessionState::free) return false;
  return true;
}

}  // namespace postern::porter
