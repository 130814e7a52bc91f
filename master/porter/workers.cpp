// From a worker back to quiet, or to the end.
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "lib/log/log.h"
#include "lib/net/fd_passing.h"
#include "master/porter/porter.h"

namespace postern::porter {
namespace {

constexpr int kMessagesATurn = 16;

}  // namespace

void Porter::read_worker(std::uint32_t index) {
  const WorkerRow& row = head_.workers[index];
  const int fd = row.fd;
  for (int i = 0; i < kMessagesATurn; ++i) {
    if (row.state.load() == WorkerState::none || row.fd != fd) return;
    const auto size = ::recv(fd, nullptr, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
    // What comes from here on is an event of its own; reading it now would cut it to one octet.
    if (size < 0 && errno == EAGAIN) return;
    auto message =
        net::receive_message(fd, size > 0 ? static_cast<std::size_t>(size) : 1, net::Wait::no);
    if (message) {
      take_message(index, message->bytes,
                   message->descriptors.empty() ? Fd{} : std::move(message->descriptors.front()));
    } else {
      if (message.error().code != Errc::unavailable) lose_worker(index);
      return;
    }
  }
}

void Porter::take_message(std::uint32_t index, std::string_view message, Fd stream) {
  switch (service::kind_of(message)) {
    case service::Kind::park:
      return take_park(index, message, std::move(stream));
    case service::Kind::end:
      return take_end(index, message);
    case service::Kind::login:
      return take_login(index, message);
    default:
      LOG(error, "worker.bad_message", {"pid", head_.workers[index].pid});
      return lose_worker(index);
  }
}

/// Whether the message speaks of the hand-over that is under way. Others are repetitions.
bool Porter::is_current(const service::Ticket& ticket, std::uint32_t worker) const {
  if (ticket.slot >= rows_.size()) return false;
  const SessionRow& row = rows_[ticket.slot];
  return row.state.load() == SessionState::out && row.id == ticket.session &&
         row.wake == ticket.wake && row.worker == worker;
}

void Porter::take_park(std::uint32_t index, std::string_view message, Fd stream) {
  const auto park = service::decode_park(message);
  if (!park) {
    LOG(error, "worker.bad_message", {"pid", head_.workers[index].pid},
        {"error", park.error().text});
    return lose_worker(index);
  }
  const std::uint32_t slot = park->ticket.slot;
  if (!is_current(park->ticket, index)) return;
  const auto record = heap_.store(message);
  if (!record) {
    LOG(error, "porter.heap_full", {"conn", park->ticket.session}, {"error", record.error().text});
    release_worker(index, park->leaving);
    return end_with_goodbye(slot, Goodbye::internal_error, "no memory for the record");
  }
  SessionRow& row = rows_[slot];
  count_out(slot, -1);
  fill_row(slot, park->parked);
  if (stream) replace_stream(slot, std::move(stream));
  const Extent old{row.record.exchange(record->word())};
  row.state.store(SessionState::quiet);
  heap_.release(old);
  release_worker(index, park->leaving);
  settle(slot, park->parked.watches);
}

/// COMPRESS: a relay of transportd has the connection now, and this is the session's end of it. A
/// successor that finds the session `out` asks the worker again and gets the same socket again.
void Porter::replace_stream(std::uint32_t slot, Fd stream) {
  SessionRow& row = rows_[slot];
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, row.fd, nullptr);
  Fd former{std::exchange(row.fd, stream.release())};  // closed, not shut down: the relay has it
  row.flags |= SessionRow::kCompressed;
  watch_descriptor(row.fd, Source::session, slot, EPOLLET);
}

void Porter::fill_row(std::uint32_t slot, const service::Parked& parked) {
  SessionRow& row = rows_[slot];
  row.since = now_;
  row.worker = kNone;
  row.flags &= ~(SessionRow::kChanged | SessionRow::kGoesOn);
  if (parked.goes_on) row.flags |= SessionRow::kGoesOn;
  set_user(slot, parked.user);
  row.mailbox.set(parked.mailbox);
  row.activity.set(parked.activity);
  const auto from_now = [&](std::chrono::milliseconds wait) {
    return wait.count() > 0 ? now_ + wait.count() : 0;
  };
  row.autologout_at = from_now(parked.autologout);
  row.keepalive_every = parked.keepalive.count();
  row.keepalive_at = from_now(parked.keepalive);
  row.reply_at = parked.delayed_reply.empty() ? 0 : now_ + parked.not_before.count();
  row.watch_count = static_cast<std::uint32_t>(parked.watches.size());
  for (std::size_t i = 0; i < std::min(parked.watches.size(), row.watches.size()); ++i)
    row.watches[i] = {parked.watches[i].slot, 0, parked.watches[i].seen};
}

/// The session is quiet now: watch for input, time and changes, those included that came while it
/// was on its way.
void Porter::settle(std::uint32_t slot, const std::vector<service::Watch>& watches) {
  SessionRow& row = rows_[slot];
  if (head_.stopping.load() != 0)
    return end_with_goodbye(slot, Goodbye::shutting_down, "shutting down");
  if ((row.flags & SessionRow::kKick) != 0)
    return end_with_goodbye(slot, Goodbye::kicked, "kicked");
  watches_.add(slot, watches);
  poll_session(slot, row.reply_at == 0);
  time_session(slot);
  if ((row.flags & SessionRow::kGoesOn) != 0)
    return enqueue(slot, before_login(row) ? Queue::login : Queue::input);
  for (const service::Watch& watch : watches) {
    if (board_.value(watch.slot) == watch.seen) continue;
    news_for(slot);
    return;
  }
}

void Porter::take_end(std::uint32_t index, std::string_view message) {
  const auto end = service::decode_end(message);
  if (!end || !is_current(end->ticket, index)) return;
  release_worker(index, end->leaving);
  if (end->handed_over) rows_[end->ticket.slot].flags |= SessionRow::kHandedOver;
  end_session(end->ticket.slot, end->reason, false);
}

void Porter::take_login(std::uint32_t index, std::string_view message) {
  const auto login = service::decode_login(message);
  if (!login || !is_current(login->ticket, index)) return;
  service::LoginAnswer answer;
  answer.ticket = login->ticket;
  count_out(login->ticket.slot, -1);
  answer.accepted = set_user(login->ticket.slot, login->user) && make_room_for(login->ticket.slot);
  if (!answer.accepted) set_user(login->ticket.slot, {});
  count_out(login->ticket.slot, 1);
  static_cast<void>(net::send_message(head_.workers[index].fd, service::encode(answer), {},
                                      net::Wait::no));  // lost: the worker asks again
}

void Porter::release_worker(std::uint32_t index, bool leaving) {
  WorkerRow& row = head_.workers[index];
  service::PoolRow& pool = head_.pools[row.pool];
  row.since = now_;
  row.served += 1;
  row.slot = kNone;
  row.state.store(WorkerState::idle);
  pools_[row.pool].idle.push_back(index);
  pool.idle.fetch_add(1);
  if (leaving || row.generation < pool.generation.load()) retire_worker(index);
}

/// An idle worker may go.
void Porter::retire_worker(std::uint32_t index) {
  static_cast<void>(net::send_message(head_.workers[index].fd, service::encode_retire(), {},
                                      net::Wait::no));  // closing its channel says the same
  const std::uint32_t pool = head_.workers[index].pool;
  drop_worker(index);
  poke(pool);
}

/// A worker died or misbehaved; the session that it had is lost with it.
void Porter::lose_worker(std::uint32_t index) {
  WorkerRow& row = head_.workers[index];
  const std::uint32_t slot = row.slot;
  const bool had_session = row.state.load() == WorkerState::busy &&
                           rows_[slot].state.load() == SessionState::out &&
                           rows_[slot].worker == index;
  const std::int32_t pid = row.pid;
  const std::uint32_t pool = row.pool;
  drop_worker(index);
  poke(pool);
  if (!had_session) return;
  head_.pools[pool].crashes.fetch_add(1);
  LOG(error, "session.lost", {"conn", rows_[slot].id}, {"user", rows_[slot].user.view()},
      {"pid", pid}, {"reason", "its worker died"});
  end_with_goodbye(slot, Goodbye::internal_error, "its worker died");
}

void Porter::drop_worker(std::uint32_t index) {
  WorkerRow& row = head_.workers[index];
  if (row.state.load() == WorkerState::idle) {
    auto& idle = pools_[row.pool].idle;
    const auto at = std::ranges::find(idle, index);
    if (at != idle.end()) {
      idle.erase(at);
      head_.pools[row.pool].idle.fetch_sub(1);
    }
  }
  head_.pools[row.pool].workers.fetch_sub(1);
  row.state.store(WorkerState::none);
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, row.fd, nullptr);
  Fd{row.fd}.reset();
  row.fd = -1;
}

}  // namespace postern::porter
