#include "master/metad/server.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>

#include "lib/base/clock.h"
#include "lib/base/program_pages.h"
#include "lib/log/log.h"

namespace postern::metad {
namespace {

// Keys of epoll; connections count from kFirstConnection.
constexpr std::uint64_t kListener = 0;
constexpr std::uint64_t kEvent = 1;
constexpr std::uint64_t kTimer = 2;
constexpr std::uint64_t kStop = 3;
constexpr std::uint64_t kFirstConnection = 16;

constexpr std::size_t kReadOctets = 64U << 10;
constexpr std::size_t kMostOutput = 64U << 20;  // four of the longest replies
constexpr std::size_t kSweepRows = 2000;
constexpr std::uint64_t kRequestSweepEvery = 600;  // sweeps
constexpr std::chrono::hours kRequestAge(1);
constexpr std::int64_t kDrainMillis = 2000;

Result<Fd> make_timer(std::chrono::milliseconds every) {
  Fd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!timer) return errno_error("timerfd_create", "metad");
  itimerspec spec{};
  spec.it_interval.tv_sec = every.count() / 1000;
  spec.it_interval.tv_nsec = every.count() % 1000 * 1'000'000;
  spec.it_value = spec.it_interval;
  if (::timerfd_settime(timer.get(), 0, &spec, nullptr) != 0)
    return errno_error("timerfd_settime", "metad");
  return timer;
}

void drain_counter(int fd) {
  std::uint64_t count = 0;
  static_cast<void>(!::read(fd, &count, sizeof count));
}

}  // namespace

Server::Server(meta::Core& core, Fd listener, ServerOptions options, Fd epoll, Fd event, Fd timer)
    : core_(core),
      service_(core),
      listener_(std::move(listener)),
      epoll_(std::move(epoll)),
      event_(std::move(event)),
      timer_(std::move(timer)),
      last_id_(kFirstConnection),
      flusher_(core.environment(), event_.get()),
      housekeeper_(core.environment(), std::move(options.housekeeping), event_.get()) {}

Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::create(meta::Core& core, Fd listener,
                                               ServerOptions options) {
  Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  Fd event(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!epoll || !event) return errno_error("epoll_create", "metad");
  Fd timer = TRY(make_timer(options.sweep_every));
  if (::fcntl(listener.get(), F_SETFL, O_NONBLOCK) != 0) return errno_error("fcntl", "listener");
  std::unique_ptr<Server> self(new Server(core, std::move(listener), std::move(options),
                                          std::move(epoll), std::move(event), std::move(timer)));
  TRY(self->watch(self->listener_.get(), kListener, EPOLLIN));
  TRY(self->watch(self->event_.get(), kEvent, EPOLLIN));
  TRY(self->watch(self->timer_.get(), kTimer, EPOLLIN));
  return self;
}

Result<void> Server::watch(int fd, std::uint64_t key, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = key;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
    return errno_error("epoll_ctl", "metad");
  return {};
}

Result<void> Server::run(int stop) {
  TRY(watch(stop, kStop, EPOLLIN));
  std::array<epoll_event, 256> events{};
  for (bool stopping = false; !stopping;) {
    const int count =
        ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
    if (count < 0 && errno != EINTR) return errno_error("epoll_wait", "metad");
    for (int i = 0; i < count; ++i) {
      const auto& event = events[static_cast<std::size_t>(i)];
      stopping = stopping || event.data.u64 == kStop;
      dispatch(event.data.u64, event.events);
    }
    // One flush for all that was committed in this round.
    if (std::exchange(batch_open_, false)) flusher_.request(batch_);
  }
  drain();
  return {};
}

void Server::dispatch(std::uint64_t key, std::uint32_t events) {
  if (key == kListener) return accept_all();
  if (key == kTimer) return sweep();
  if (key == kEvent) {
    drain_counter(event_.get());
    release_durable();
    return finish_backups();
  }
  asked_ = true;
  resting_ = false;
  const auto at = connections_.find(key);
  if (at == connections_.end()) return;
  if ((events & EPOLLOUT) != 0) write_to(at->second);
  const auto still = connections_.find(key);
  if (still != connections_.end() && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
    read_from(still->second);
}

void Server::accept_all() {
  for (;;) {
    Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) {
      if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
        LOG(error, "meta.accept_failed", {"error", errno_error("accept", "metad").text});
      return;
    }
    const std::uint64_t id = ++last_id_;
    if (!watch(socket.get(), id, EPOLLIN)) continue;
    Connection& connection = connections_[id];
    connection.socket = std::move(socket);
    connection.session.id = id;
  }
}

void Server::drop(std::uint64_t id) {
  core_.end_session(id);
  connections_.erase(id);
}

void Server::read_from(Connection& connection) {
  char piece[kReadOctets];  // not the string's end: to clear it costs more than most requests
  const ssize_t got = ::read(connection.socket.get(), piece, sizeof piece);
  if (got > 0) connection.input.append(piece, static_cast<std::size_t>(got));
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return drop(connection.session.id);
  if (!execute_all(connection)) return drop(connection.session.id);
  write_to(connection);
}

/// False if the peer doesn't speak our frames: nothing after that could be trusted.
bool Server::execute_all(Connection& connection) {
  std::size_t used = 0;
  while (!connection.closing) {
    const auto frame = meta::wire::take_frame(std::string_view(connection.input).substr(used));
    if (!frame) {
      LOG(warning, "meta.bad_frame", {"error", frame.error().text});
      return false;
    }
    if (!*frame) break;
    answer(connection, service_.execute(connection.session, (*frame)->payload));
    used += (*frame)->size;
  }
  connection.input.erase(0, used);
  if (connection.input.empty()) connection.input.shrink_to_fit();
  return true;
}

void Server::answer(Connection& connection, const meta::Executed& executed) {
  connection.closing = connection.closing || executed.close;
  if (!executed.backup.empty())
    housekeeper_.request({connection.session.id, executed.sequence, executed.backup, {}});
  if (executed.reply.empty()) return;
  std::string frame = meta::wire::frame(executed.reply);
  if (!executed.durable) {
    connection.output += frame;
    return;
  }
  if (!std::exchange(batch_open_, true)) ++batch_;
  held_.push_back({batch_, connection.session.id, std::move(frame)});
}

void Server::release_durable() {
  const std::uint64_t durable = flusher_.flushed();
  while (!held_.empty() && held_.front().batch <= durable) {
    const Held held = std::move(held_.front());
    held_.pop_front();
    const auto at = connections_.find(held.connection);
    if (at == connections_.end()) continue;
    at->second.output += held.frame;
    write_to(at->second);
  }
}

void Server::finish_backups() {
  for (const auto& backup : housekeeper_.take_done()) {
    const auto at = connections_.find(backup.connection);
    if (at == connections_.end()) continue;
    at->second.output += meta::wire::frame(
        backup.result ? meta::wire::reply(backup.sequence)
                      : meta::wire::reply_error(backup.sequence, backup.result.error()));
    write_to(at->second);
  }
}

/// Writes what goes without waiting. `connection` may be gone afterwards.
void Server::write_to(Connection& connection) {
  while (connection.written < connection.output.size()) {
    const ssize_t put =
        ::send(connection.socket.get(), connection.output.data() + connection.written,
               connection.output.size() - connection.written, MSG_NOSIGNAL);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno == EAGAIN) break;
    if (put < 0) return drop(connection.session.id);
    connection.written += static_cast<std::size_t>(put);
  }
  const std::size_t left = connection.output.size() - connection.written;
  if (left == 0) {
    connection.output.clear();
    connection.written = 0;
    if (connection.closing) return drop(connection.session.id);
  }
  if (left > kMostOutput) {
    LOG(warning, "meta.slow_peer", {"octets", left});
    return drop(connection.session.id);
  }
  if (connection.watching_output == (left > 0)) return;
  connection.watching_output = left > 0;
  epoll_event event{};
  event.events = left > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.u64 = connection.session.id;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.socket.get(), &event);
}

void Server::sweep() {
  drain_counter(timer_.get());
  auto swept = core_.environment().transact([&](db::Transaction& txn) -> Result<void> {
    TRY(core_.sweep_marks(txn, kSweepRows));
    if (sweeps_ % kRequestSweepEvery == 0) TRY(core_.sweep_requests(txn, kRequestAge));
    return {};
  });
  ++sweeps_;
  if (!std::exchange(asked_, false) && !std::exchange(resting_, true)) let_go_of_program_pages();
  if (!swept) LOG(error, "meta.sweep_failed", {"error", swept.error().text});
}

/// Answers what was executed before the end.
void Server::drain() {
  flusher_.request(batch_);
  const std::int64_t deadline = steady_millis() + kDrainMillis;
  while (!held_.empty() && steady_millis() < deadline) {
    pollfd news{event_.get(), POLLIN, 0};
    ::poll(&news, 1, static_cast<int>(kDrainMillis));
    drain_counter(event_.get());
    release_durable();
  }
}

}  // namespace postern::metad
