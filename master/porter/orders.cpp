// What comes through the door (fork servers, workers, transportd) and from master.
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>

#include "lib/log/log.h"
#include "lib/net/fd_passing.h"
#include "master/porter/porter.h"

namespace postern::porter {
namespace {

constexpr int kMessagesATurn = 64;

}  // namespace

void Porter::read_door() {
  for (int i = 0; i < kMessagesATurn; ++i) {
    auto message = net::receive_message(doors_.door, service::kMaxMessage, net::Wait::no);
    if (!message) return;
    Fd fd = message->descriptors.empty() ? Fd{} : std::move(message->descriptors.front());
    switch (service::kind_of(message->bytes)) {
      case service::Kind::hello:
        take_worker(message->bytes, std::move(fd));
        break;
      case service::Kind::greetings:
        take_greetings(message->bytes);
        break;
      case service::Kind::connection:
        take_connection(message->bytes, std::move(fd));
        break;
      default:
        LOG(error, "porter.bad_message", {"error", "of an unknown kind, at the door"});
    }
  }
}

void Porter::take_greetings(std::string_view message) {
  const auto all = service::decode_greetings(message);
  if (!all || all->pool >= service::kMaxPools) {
    LOG(error, "porter.bad_message", {"error", all ? "no such pool" : all.error().text});
    return;
  }
  service::PoolRow& pool = head_.pools[all->pool];
  for (std::size_t i = 0; i < all->greeting.size(); ++i) pool.greeting[i].set(all->greeting[i]);
  for (std::size_t i = 0; i < all->goodbye.size(); ++i) pool.goodbye[i].set(all->goodbye[i]);
  pool.needs_login = all->needs_login ? 1 : 0;
  pool.greeted.store(all->generation);
  pool.generation.store(all->generation);
  retire_older_workers(all->pool);
  for (std::uint32_t i = 0; i < service::kMaxListeners; ++i)
    if (head_.services[head_.listeners[i].service].pool == all->pool) open_listener(i);
}

/// After a reload the workers of the former configuration go as they become free.
void Porter::retire_older_workers(std::uint32_t pool) {
  for (std::uint32_t i = 0; i < scoreboard_.used_workers().size(); ++i) {
    const WorkerRow& row = head_.workers[i];
    if (row.state.load() == WorkerState::idle && row.pool == pool &&
        row.generation < head_.pools[pool].generation.load())
      retire_worker(i);
  }
}

void Porter::take_worker(std::string_view message, Fd channel) {
  const auto hello = service::decode_hello(message);
  if (!hello || !channel || hello->pool >= service::kMaxPools) {
    LOG(error, "porter.bad_message", {"error", hello ? "no channel" : hello.error().text});
    return;
  }
  std::uint32_t index = 0;
  while (index < service::kMaxWorkers && head_.workers[index].state.load() != WorkerState::none)
    ++index;
  if (index == service::kMaxWorkers) return;  // closing the channel ends the worker
  if (index >= head_.workers_top.load()) head_.workers_top.store(index + 1);
  WorkerRow& row = head_.workers[index];
  row.pid = hello->pid;
  row.fd = channel.release();
  row.pool = hello->pool;
  row.generation = hello->generation;
  row.slot = kNone;
  row.since = now_;
  row.served = 0;
  row.state.store(WorkerState::idle);
  service::PoolRow& pool = head_.pools[row.pool];
  pool.workers.fetch_add(1);
  pool.idle.fetch_add(1);
  pools_[row.pool].idle.push_back(index);
  watch_descriptor(row.fd, Source::worker, index, EPOLLIN);
  if (row.generation < pool.generation.load()) retire_worker(index);
}

void Porter::read_control() {
  for (int i = 0; i < kMessagesATurn; ++i) {
    auto message = net::receive_message(doors_.control, service::kMaxMessage, net::Wait::no);
    if (!message) {
      // Its other end is held by master alone.
      master_gone_ = master_gone_ || message.error().code == Errc::closed;
      return;
    }
    Fd fd = message->descriptors.empty() ? Fd{} : std::move(message->descriptors.front());
    obey(message->bytes, std::move(fd));
  }
}

void Porter::obey(std::string_view message, Fd fd) {
  const auto order = service::decode_order(message);
  if (!order) {
    LOG(error, "porter.bad_message", {"error", order.error().text});
    return;
  }
  switch (order->kind) {
    case service::Kind::listener:
      return add_listener(order->index, std::move(fd));
    case service::Kind::unlisten:
      return close_listeners(order->index);
    case service::Kind::pool_event:
      if (order->index >= service::kMaxPools) return;
      if (const int old = head_.pools[order->index].event_fd; old >= 0) Fd{old}.reset();
      head_.pools[order->index].event_fd = fd.release();
      return;
    case service::Kind::kick:
      return kick(order->user);
    case service::Kind::shut_down:
      return shut_down();
    default:
      LOG(error, "porter.bad_message", {"error", "an order of an unknown kind"});
  }
}

void Porter::add_listener(std::uint32_t service, Fd fd) {
  if (service >= service::kMaxServices || !fd) return;
  for (std::uint32_t i = 0; i < service::kMaxListeners; ++i) {
    service::ListenerRow& row = head_.listeners[i];
    if (row.fd >= 0) continue;
    row.service = service;
    const int flags = fcntl(fd.get(), F_GETFL);
    fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK);  // we accept until there is none
    row.fd = fd.release();
    return open_listener(i);
  }
  LOG(error, "porter.bad_message", {"error", "too many listeners"});
}

void Porter::close_listeners(std::uint32_t service) {
  for (service::ListenerRow& row : head_.listeners) {
    if (row.fd < 0 || row.service != service) continue;
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, row.fd, nullptr);
    Fd{std::exchange(row.fd, -1)}.reset();
  }
}

void Porter::kick(std::string_view user) {
  const auto used = scoreboard_.used_sessions();
  for (std::uint32_t slot = 0; slot < used.size(); ++slot) {
    SessionRow& row = used[slot];
    if (row.user.view() != user) continue;
    row.flags |= SessionRow::kKick;
    if (row.state.load() == SessionState::quiet) end_with_goodbye(slot, Goodbye::kicked, "kicked");
    if (row.state.load() == SessionState::out) ::shutdown(row.fd, SHUT_RDWR);
  }
}

/// Everybody hears a goodbye: quiet sessions now, others when their worker gives them back.
void Porter::shut_down() {
  for (std::uint32_t i = 0; i < service::kMaxServices; ++i) close_listeners(i);
  const auto used = scoreboard_.used_sessions();
  for (std::uint32_t slot = 0; slot < used.size(); ++slot) {
    const SessionState state = used[slot].state.load();
    if (state == SessionState::quiet || state == SessionState::greeting)
      end_with_goodbye(slot, Goodbye::shutting_down, "shutting down");
  }
}

}  // namespace postern::porter
