// From quiet to a worker: who is woken, in which order, by whom.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "lib/base/assert.h"
#include "lib/log/log.h"
#include "lib/net/fd_passing.h"
#include "master/porter/porter.h"

namespace postern::porter {
namespace {

constexpr std::int64_t kNewsEvery = 200;  // ms between two wakes of a session for changes
constexpr std::uint32_t kNewsShare = 8;   // one hand-over in eight, however long the others wait
constexpr std::uint32_t kLoginShare = 8;  // the same for who hasn't logged in
constexpr std::size_t kLongestPeek = 8192;
constexpr std::int64_t kPokeEvery = 2;  // ms

}  // namespace

void Porter::session_event(std::uint32_t slot, std::uint32_t events) {
  SessionRow& row = rows_[slot];
  if (row.state.load() == SessionState::greeting && (row.flags & SessionRow::kProxy) != 0)
    return read_proxy_header(slot);
  // While a worker has it, events mean nothing to us: parking arms them anew.
  if (row.state.load() != SessionState::quiet || row.reply_at != 0) return;
  if (has_input(slot, events)) enqueue(slot, before_login(row) ? Queue::login : Queue::input);
}

bool Porter::has_input(std::uint32_t slot, std::uint32_t events) {
  const SessionRow& row = rows_[slot];
  const bool whole_lines = before_login(row);
  const bool may_be_end = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  if (!whole_lines && !may_be_end) return true;
  char bytes[kLongestPeek];
  const auto got = ::recv(row.fd, bytes, whole_lines ? sizeof bytes : 1, MSG_PEEK | MSG_DONTWAIT);
  if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
    end_session(slot, got == 0 ? "closed by peer" : "connection lost", true);
    return false;
  }
  if (got < 0) return false;
  // Who sends an octet a second before login costs no worker: only whole lines wake one. A line
  // that never ends comes to a worker once it is too long, or when its sender has finished.
  const auto size = static_cast<std::size_t>(got);
  return !whole_lines || may_be_end || size == sizeof bytes ||
         std::memchr(bytes, '\n', size) != nullptr;
}

void Porter::enqueue(std::uint32_t slot, Queue queue) {
  Local& mine = local(slot);
  if (mine.queue == Queue::held || mine.queue == queue) return;
  if (mine.queue != Queue::none && queue == Queue::news) return;  // input says it all
  service::PoolRow& row = pool_row(rows_[slot]);
  Pool& pool = pools_[head_.services[rows_[slot].service].pool];
  if (mine.queue == Queue::none) row.waiting.fetch_add(1);
  mine.queue = queue;  // a former entry in another queue is passed over when its turn comes
  if (queue == Queue::input) pool.input.push_back(slot);
  if (queue == Queue::login) pool.login.push_back(slot);
  if (queue == Queue::news) pool.news.push_back(slot);
}

void Porter::unqueue(std::uint32_t slot) {
  Local& mine = local(slot);
  if (mine.queue == Queue::none) return;
  mine.queue = Queue::none;
  pool_row(rows_[slot]).waiting.fetch_sub(1);
}

/// A watched mailbox changed.
void Porter::news_for(std::uint32_t slot) {
  SessionRow& row = rows_[slot];
  if (row.state.load() != SessionState::quiet || row.reply_at != 0) return;
  Local& mine = local(slot);
  // While workers are free a change is told at once, however fast they come; when they are scarce
  // a session that heard news lately waits, so that one busy mailbox doesn't starve the others.
  const service::PoolRow& pool = pool_row(row);
  const bool scarce = pool.waiting.load() != 0 || pool.idle.load() <= pool.workers.load() / 4;
  if (scarce && now_ - mine.last_news < kNewsEvery) {
    mine.news_pending = true;
    timers_.set(slot, mine.last_news + kNewsEvery);
    return;
  }
  mine.news_pending = false;
  row.flags |= SessionRow::kChanged;
  enqueue(slot, Queue::news);
}

std::uint32_t Porter::pop(std::deque<std::uint32_t>& queue, Queue kind) {
  while (!queue.empty()) {
    const std::uint32_t slot = queue.front();
    queue.pop_front();
    if (local(slot).queue != kind) continue;
    const SessionRow& row = rows_[slot];
    const auto active = active_users_.find(row.user_hash);
    const std::uint32_t most = head_.services[row.service].max_active_per_user;
    if (row.user_hash == 0 || active == active_users_.end() || active->second < most) return slot;
    local(slot).queue = Queue::held;  // until one of the user's sessions comes back
    held_[row.user_hash].push_back(slot);
  }
  return kNone;
}

/// The next session to serve: clients' input first, then new clients, then changes. The latter two
/// have a guaranteed share, but changes never the last quarter of the workers.
std::uint32_t Porter::choose(std::uint32_t index) {
  Pool& pool = pools_[index];
  const std::uint32_t workers = head_.pools[index].workers.load();
  const bool news_may = pool.news_out < std::max(1U, workers - workers / 4);
  if (news_may && pool.since_news + 1 >= kNewsShare)
    if (const std::uint32_t slot = pop(pool.news, Queue::news); slot != kNone) return slot;
  // A login can hold its worker (SASL can't be parked): they get a quarter of the pool.
  const bool login_may = pool.logins_out < std::max(1U, head_.pools[index].max_workers / 4);
  if (login_may && pool.since_login + 1 >= kLoginShare)
    if (const std::uint32_t slot = pop(pool.login, Queue::login); slot != kNone) return slot;
  if (const std::uint32_t slot = pop(pool.input, Queue::input); slot != kNone) return slot;
  if (login_may)
    if (const std::uint32_t slot = pop(pool.login, Queue::login); slot != kNone) return slot;
  return news_may ? pop(pool.news, Queue::news) : kNone;
}

void Porter::dispatch(std::uint32_t index) {
  Pool& pool = pools_[index];
  while (!pool.idle.empty()) {
    const std::uint32_t slot = choose(index);
    if (slot == kNone) break;
    const std::uint32_t worker = pool.idle.back();
    pool.idle.pop_back();
    head_.pools[index].idle.fetch_sub(1);
    wake(slot, worker);
  }
  if (head_.pools[index].waiting.load() != 0 || pool.idle.size() < head_.pools[index].min_spare)
    poke(index);
}

void Porter::count_out(std::uint32_t slot, int by) {
  const SessionRow& row = rows_[slot];
  const auto change = static_cast<std::uint32_t>(by);  // wraps as wanted
  Pool& pool = pools_[head_.services[row.service].pool];
  if (before_login(row)) pool.logins_out += change;
  if ((row.flags & SessionRow::kChanged) != 0) pool.news_out += change;
  if (row.user_hash == 0) return;
  std::uint32_t& active = active_users_[row.user_hash];
  active += change;
  if (active == 0) active_users_.erase(row.user_hash);
  if (by < 0) unhold(row.user_hash);
}

/// One of the user's sessions came back: the next one that waited for it has its turn.
void Porter::unhold(std::uint64_t user_hash) {
  const auto held = held_.find(user_hash);
  if (held == held_.end()) return;
  std::uint32_t next = kNone;
  while (next == kNone && !held->second.empty()) {
    if (local(held->second.front()).queue == Queue::held) next = held->second.front();
    held->second.pop_front();
  }
  if (held->second.empty()) held_.erase(held);
  if (next == kNone) return;
  local(next).queue = Queue::input;
  pools_[head_.services[rows_[next].service].pool].input.push_front(next);
}

void Porter::wake(std::uint32_t slot, std::uint32_t worker) {
  SessionRow& row = rows_[slot];
  Local& mine = local(slot);
  Pool& pool = pools_[head_.services[row.service].pool];
  if (mine.queue == Queue::news) {
    mine.last_news = now_;
    pool.since_news = 0;
  } else {
    ++pool.since_news;
    row.flags &= ~SessionRow::kChanged;  // the worker looks at the mailbox in any case
  }
  pool.since_login = mine.queue == Queue::login ? 0 : pool.since_login + 1;
  unqueue(slot);
  watches_.remove(slot);
  poll_session(slot, false);
  // The order matters to a successor: it repeats the wake of every session that is `out`.
  row.worker = worker;
  row.wake += 1;
  row.since = now_;
  row.state.store(SessionState::out);
  WorkerRow& to = head_.workers[worker];
  to.slot = slot;
  to.since = now_;
  to.state.store(WorkerState::busy);
  count_out(slot, 1);
  pool_row(row).wakes.fetch_add(1, std::memory_order_relaxed);
  time_session(slot);
  send_wake(slot, worker);
}

void Porter::send_wake(std::uint32_t slot, std::uint32_t worker) {
  const SessionRow& row = rows_[slot];
  service::Wake message;
  message.ticket = {slot, row.wake, row.id};
  message.facts = facts_of(slot);
  service::Parked parked = record_of(slot);
  message.state = std::move(parked.state);
  message.unread = std::move(parked.unread);
  message.changed = (row.flags & SessionRow::kChanged) != 0;
  message.shutting_down = head_.stopping.load() != 0;
  const auto sent = net::send_message(head_.workers[worker].fd, service::encode(message),
                                      {&row.fd, 1}, net::Wait::no);
  if (sent) return;
  // A dead worker: its hang-up comes next and would cost the session, though it never had it.
  LOG(warning, "worker.wake_failed", {"conn", row.id}, {"error", sent.error().text});
  count_out(slot, -1);
  rows_[slot].state.store(SessionState::quiet);
  drop_worker(worker);
  settle(slot, parked.watches);
  enqueue(slot, before_login(row) ? Queue::login : Queue::input);
}

/// Tells the fork server to look at the counts.
void Porter::poke(std::uint32_t index) {
  const service::PoolRow& row = head_.pools[index];
  Pool& pool = pools_[index];
  // A session that waits is told each time: a poke left out would cost it the fork server's timer.
  const bool lately = now_ - pool.poked_at < kPokeEvery;
  if (row.event_fd < 0 || (lately && row.waiting.load() == 0)) return;
  if (row.waiting.load() == 0 && row.idle.load() >= row.min_spare) return;
  if (row.workers.load() >= row.max_workers) return;
  pool.poked_at = now_;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(row.event_fd, &one, sizeof one);
}

}  // namespace postern::porter
