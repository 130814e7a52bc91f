// Makes porter's private state from the scoreboard and the descriptor table: nothing at the first
// start, everything after a predecessor was killed, at whichever instruction.
#include <dirent.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <set>

#include "lib/base/assert.h"
#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/log/log.h"
#include "master/porter/porter.h"

namespace postern::porter {
namespace {

bool is_open(int fd) { return fd >= 0 && fcntl(fd, F_GETFD) != -1; }

int socket_option(int fd, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

/// Whether octets were ever written to a TCP connection.
bool was_written_to(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return true;
  return info.tcpi_bytes_acked > 0 || info.tcpi_unacked > 0 || info.tcpi_notsent_bytes > 0;
}

std::set<int> open_descriptors() {
  std::set<int> out;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir("/proc/self/fd"), closedir);
  if (!dir) return out;
  while (const dirent* entry = readdir(dir.get())) {
    const auto number = parse_u64(entry->d_name);  // "." and ".." are none
    if (!number) continue;
    const int fd = static_cast<int>(*number);
    if (fd != dirfd(dir.get())) out.insert(fd);
  }
  return out;
}

std::string link_of(int fd) {
  char target[256];
  const auto size = readlink(fmt::format("/proc/self/fd/{}", fd).c_str(), target, sizeof target);
  return {target, size > 0 ? static_cast<std::size_t>(size) : 0};
}

bool same_local_address(int a, int b) {
  sockaddr_storage first{};
  sockaddr_storage second{};
  socklen_t first_size = sizeof first;
  socklen_t second_size = sizeof second;
  if (getsockname(a, reinterpret_cast<sockaddr*>(&first), &first_size) != 0) return false;
  if (getsockname(b, reinterpret_cast<sockaddr*>(&second), &second_size) != 0) return false;
  if (first.ss_family != second.ss_family) return false;
  if (first.ss_family == AF_INET)
    return reinterpret_cast<sockaddr_in&>(first).sin_port ==
           reinterpret_cast<sockaddr_in&>(second).sin_port;
  if (first.ss_family == AF_INET6)
    return reinterpret_cast<sockaddr_in6&>(first).sin6_port ==
           reinterpret_cast<sockaddr_in6&>(second).sin6_port;
  return first_size == second_size && std::memcmp(&first, &second, first_size) == 0;
}

}  // namespace

void Porter::recover() {
  const std::int64_t began = steady_micros();
  now_ = swept_at_ = steady_millis();
  epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  ASSERT(epoll_);
  reserve_.reset(open("/dev/null", O_RDONLY | O_CLOEXEC));
  for (service::PoolRow& pool : head_.pools) pool.workers = pool.idle = pool.waiting = 0;
  for (service::ServiceRow& row : head_.services) row.connections = 0;
  // Before any row is touched: who is out names the worker that has it.
  for (WorkerRow& row : scoreboard_.used_workers())
    if (row.state.load() == WorkerState::busy) row.state.store(WorkerState::idle);
  const auto used = scoreboard_.used_sessions();
  for (std::uint32_t slot = 0; slot < used.size(); ++slot)
    if (used[slot].state.load() == SessionState::out) {
      WorkerRow& worker = head_.workers[used[slot].worker];
      if (worker.state.load() == WorkerState::none) continue;
      worker.slot = slot;
      worker.state.store(WorkerState::busy);
    }
  for (std::uint32_t i = 0; i < service::kMaxWorkers; ++i) recover_worker(i);
  for (auto slot = static_cast<std::uint32_t>(used.size()); slot-- > 0;) recover_session(slot);
  watch_descriptor(board_.event_fd(), Source::board, 0, EPOLLIN);
  watch_descriptor(doors_.door, Source::door, 0, EPOLLIN);
  watch_descriptor(doors_.control, Source::control, 0, EPOLLIN);
  for (std::uint32_t i = 0; i < service::kMaxListeners; ++i) open_listener(i);
  if (head_.porter_starts.load() > 1) {
    close_or_adopt_strays();
    LOG(warning, "porter.recovered", {"sessions", used.size() - free_rows_.size()},
        {"micros", steady_micros() - began});
  }
  sweep();
  if (head_.stopping.load() != 0) shut_down();
}

void Porter::recover_worker(std::uint32_t index) {
  const WorkerRow& row = head_.workers[index];
  if (row.state.load() == WorkerState::none) return;
  service::PoolRow& pool = head_.pools[row.pool];
  pool.workers.fetch_add(1);
  if (row.state.load() == WorkerState::idle) {
    pools_[row.pool].idle.push_back(index);
    pool.idle.fetch_add(1);
  }
  watch_descriptor(row.fd, Source::worker, index, EPOLLIN);
}

void Porter::recover_session(std::uint32_t slot) {
  SessionRow& row = rows_[slot];
  const SessionState state = row.state.load();
  if (state == SessionState::free) return free_rows_.push_back(slot);
  if (state == SessionState::closing) {
    // Its octets in the heap are not claimed, so they are free already.
    if (is_open(row.fd)) Fd{row.fd}.reset();
    row.record = row.facts = 0;
    row.state.store(SessionState::free);
    return free_rows_.push_back(slot);
  }
  const auto claimed = heap_.claim(Extent{row.record.load()});
  const auto facts = heap_.claim(Extent{row.facts.load()});
  ASSERT(claimed && facts);  // rows never share an extent
  count_session(slot, 1);
  watch_descriptor(row.fd, Source::session, slot, EPOLLET);
  if (state == SessionState::greeting) return recover_greeting(slot);
  if (state == SessionState::out) return recover_out(slot);
  std::vector<service::Watch> watches;
  if (row.watch_count > SessionRow::kInlineWatches) {
    watches = record_of(slot).watches;
  } else {
    for (std::uint32_t i = 0; i < row.watch_count; ++i)
      watches.push_back({row.watches[i].slot, row.watches[i].seen});
  }
  settle(slot, watches);
}

void Porter::recover_greeting(std::uint32_t slot) {
  SessionRow& row = rows_[slot];
  if ((row.flags & SessionRow::kProxy) != 0) {
    poll_session(slot, true);
    return time_session(slot);
  }
  const bool greeted = (row.flags & SessionRow::kGreeted) != 0;
  const bool local = socket_option(row.fd, SO_DOMAIN) == AF_UNIX;
  // Nobody knows whether a Unix peer was greeted; twice would be worse than a new connection.
  if (!greeted && local) return end_session(slot, "porter was killed while greeting", true);
  if (!greeted && !was_written_to(row.fd)) greet(slot);
  row.state.store(SessionState::quiet);
  poll_session(slot, true);
  time_session(slot);
}

/// The predecessor handed it over, or was about to: the worker is told again and knows.
void Porter::recover_out(std::uint32_t slot) {
  const SessionRow& row = rows_[slot];
  count_out(slot, 1);
  const WorkerRow& worker = head_.workers[row.worker];
  if (worker.state.load() != WorkerState::busy || worker.slot != slot)
    return end_with_goodbye(slot, Goodbye::internal_error, "its worker died");
  time_session(slot);
  send_wake(slot, row.worker);
}

/// Descriptors that came to the predecessor and to no row: connections are adopted, the rest is
/// closed, so that its sender sees it and starts anew.
void Porter::close_or_adopt_strays() {
  std::set<int> strays = open_descriptors();
  for (const int known : {0, 1, 2, doors_.door, doors_.control, board_.memory_fd(),
                          board_.event_fd(), scoreboard_.memory_fd(), epoll_.get(), reserve_.get()})
    strays.erase(known);
  for (const service::PoolRow& row : head_.pools) strays.erase(row.event_fd);
  for (const service::ListenerRow& row : head_.listeners) strays.erase(row.fd);
  for (const WorkerRow& row : scoreboard_.used_workers())
    if (row.state.load() != WorkerState::none) strays.erase(row.fd);
  for (const SessionRow& row : scoreboard_.used_sessions())
    if (row.state.load() != SessionState::free) strays.erase(row.fd);
  for (const int fd : strays) {
    const int type = socket_option(fd, SO_TYPE);
    const std::string link = link_of(fd);
    if (type == SOCK_STREAM && adopt(fd)) continue;
    // Others, such as the log's socket, belong to libraries and are the same in all successors.
    if (type == SOCK_STREAM || type == SOCK_SEQPACKET || link == "anon_inode:[eventpoll]" ||
        link == "anon_inode:[eventfd]" || link == "/dev/null")
      Fd{fd}.reset();
  }
}

/// A connection that was accepted a moment before the kill.
bool Porter::adopt(int fd) {
  for (const service::ListenerRow& row : head_.listeners) {
    if (row.fd < 0 || !same_local_address(fd, row.fd)) continue;
    if (socket_option(fd, SO_ACCEPTCONN) != 0 || was_written_to(fd)) return false;
    admit(fd, row.service, true);
    return true;
  }
  return false;
}

}  // namespace postern::porter
