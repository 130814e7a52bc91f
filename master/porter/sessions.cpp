// Session rows: limits, time-outs, the end.
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "lib/base/clock.h"
#include "lib/log/log.h"
#include "master/porter/address.h"
#include "master/porter/porter.h"

namespace postern::porter {
namespace {

std::uint64_t hash_of(std::string_view user) {
  if (user.empty()) return 0;
  return std::hash<std::string_view>{}(user) | 1;  // 0 means nobody
}

std::int64_t earlier(std::int64_t a, std::int64_t b) {
  if (a == 0 || b == 0) return std::max(a, b);
  return std::min(a, b);
}

}  // namespace

Porter::Local& Porter::local(std::uint32_t slot) {
  if (slot >= locals_.size()) locals_.resize(std::max<std::size_t>(slot + 1, locals_.size() * 2));
  return locals_[slot];
}

service::PoolRow& Porter::pool_row(const SessionRow& row) const {
  return head_.pools[head_.services[row.service].pool];
}

bool Porter::before_login(const SessionRow& row) const {
  return (row.flags & SessionRow::kLoggedIn) == 0 && pool_row(row).needs_login != 0;
}

void Porter::end_with_goodbye(std::uint32_t slot, Goodbye why, std::string_view reason) {
  say(slot, pool_row(rows_[slot]).goodbye[static_cast<std::size_t>(why)].view());
  end_session(slot, reason, true);
}

/// `say_so`: in the log; where a worker ended the session it has said it already.
void Porter::end_session(std::uint32_t slot, std::string_view reason, bool say_so) {
  SessionRow& row = rows_[slot];
  if (say_so)
    LOG(notice, "session.end", {"conn", row.id},
        {"service", head_.services[row.service].name.view()}, {"user", row.user.view()},
        {"peer", address_text(row.peer, row.flags)}, {"reason", reason},
        {"seconds", wall_seconds() - row.accepted_at});
  if (row.state.load() == SessionState::out) count_out(slot, -1);
  row.state.store(SessionState::closing);
  unqueue(slot);
  watches_.remove(slot);
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, row.fd, nullptr);
  // A worker that still has a duplicate sees the end of the connection too.
  if ((row.flags & SessionRow::kHandedOver) == 0) ::shutdown(row.fd, SHUT_RDWR);
  Fd{row.fd}.reset();
  heap_.release(Extent{row.record.exchange(0)});
  heap_.release(Extent{row.facts.exchange(0)});
  count_session(slot, -1);
  local(slot) = {};
  row.state.store(SessionState::free);
  free_rows_.push_back(slot);
  ++ended_;
}

/// Fixed octets to the client. A client that doesn't read loses them: porter never waits.
void Porter::say(std::uint32_t slot, std::string_view text) const {
  if (!text.empty()) ::send(rows_[slot].fd, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void Porter::poll_session(std::uint32_t slot, bool input) const {
  epoll_event event{};
  event.events = input ? EPOLLIN | EPOLLRDHUP | EPOLLET : EPOLLET;
  event.data.u64 = std::uint64_t{static_cast<std::uint32_t>(Source::session)} << 32 | slot;
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, rows_[slot].fd, &event);
}

void Porter::time_session(std::uint32_t slot) {
  const SessionRow& row = rows_[slot];
  std::int64_t when = before_login(row) ? row.login_by : 0;
  if (row.state.load() == SessionState::quiet) {
    when = earlier(when, row.autologout_at);
    when = earlier(when, row.keepalive_at);
    when = earlier(when, row.reply_at);
  }
  timers_.set(slot, when);
}

void Porter::session_due(std::uint32_t slot) {
  SessionRow& row = rows_[slot];
  const SessionState state = row.state.load();
  if (state == SessionState::free || state == SessionState::closing) return;
  if (before_login(row) && row.login_by != 0 && now_ >= row.login_by) {
    if (state != SessionState::out)
      return end_with_goodbye(slot, Goodbye::login_timeout, "login timeout");
    row.login_by = 0;
    ::shutdown(row.fd, SHUT_RD);  // its worker reads the end and says goodbye
  }
  if (state == SessionState::quiet && !quiet_due(slot, now_)) return;
  time_session(slot);
}

/// False: the session has ended.
bool Porter::quiet_due(std::uint32_t slot, std::int64_t now) {
  SessionRow& row = rows_[slot];
  if (local(slot).news_pending) news_for(slot);
  if (row.autologout_at != 0 && now >= row.autologout_at) {
    say(slot, record_of(slot).goodbye);
    end_session(slot, "autologout", true);
    return false;
  }
  if (row.reply_at != 0 && now >= row.reply_at) {
    const service::Parked parked = record_of(slot);
    say(slot, parked.delayed_reply);
    row.reply_at = 0;
    poll_session(slot, true);
    // Commands that were pipelined behind the delayed one are in the record, not in the socket.
    if (!parked.unread.empty()) enqueue(slot, before_login(row) ? Queue::login : Queue::input);
  }
  if (row.keepalive_at != 0 && now >= row.keepalive_at) {
    say(slot, record_of(slot).keepalive_text);
    row.keepalive_at = now + row.keepalive_every;
  }
  return true;
}

void Porter::count_session(std::uint32_t slot, int by) {
  const SessionRow& row = rows_[slot];
  const auto change = static_cast<std::uint32_t>(by);  // wraps as wanted
  head_.services[row.service].connections.fetch_add(change);
  if ((row.flags & SessionRow::kLoopback) == 0) {
    const std::string key = address_key(row.peer);
    if ((by_address_[key] += change) == 0) by_address_.erase(key);
  }
  if (row.user_hash != 0 && (by_user_[row.user_hash] += change) == 0) by_user_.erase(row.user_hash);
}

/// Notes who is logged in; empty: nobody any more. Always true, for chaining.
bool Porter::set_user(std::uint32_t slot, std::string_view user) {
  SessionRow& row = rows_[slot];
  const std::uint64_t hash = hash_of(user);
  if (hash == row.user_hash) return true;
  if (row.user_hash != 0 && --by_user_[row.user_hash] == 0) by_user_.erase(row.user_hash);
  if (hash != 0) ++by_user_[hash];
  row.user.set(user);
  row.user_hash = hash;
  if (hash != 0)
    row.flags |= SessionRow::kLoggedIn;
  else
    row.flags &= ~SessionRow::kLoggedIn;
  return true;
}

/// Keeps the limit of sessions a user: the oldest quiet one goes. False: there is none to end.
bool Porter::make_room_for(std::uint32_t slot) {
  const SessionRow& row = rows_[slot];
  const service::ServiceRow& service = head_.services[row.service];
  if (by_user_[row.user_hash] <= service.max_per_user) return true;
  std::uint32_t oldest = kNone;
  const auto used = scoreboard_.used_sessions();
  for (std::uint32_t i = 0; i < used.size(); ++i) {
    if (i == slot || used[i].user_hash != row.user_hash) continue;
    if (used[i].state.load() != SessionState::quiet) continue;
    const auto age = [&](std::uint32_t s) { return std::pair(used[s].since, used[s].id); };
    if (oldest == kNone || age(i) < age(oldest)) oldest = i;
  }
  LOG(warning, "session.limit", {"conn", row.id}, {"user", row.user.view()},
      {"option", fmt::format("service.{}.max_per_user", service.name.view())},
      {"ended", oldest == kNone ? 0 : used[oldest].id});
  if (oldest == kNone) return false;
  end_with_goodbye(oldest, Goodbye::too_many, "too many sessions of the user");
  return true;
}

service::Facts Porter::facts_of(std::uint32_t slot) const {
  const SessionRow& row = rows_[slot];
  service::Facts facts;
  if (const Extent blob{row.facts.load()}; !blob.empty()) {
    if (auto decoded = service::decode_facts(heap_.view(blob))) facts = std::move(*decoded);
  } else {
    facts.peer_address = address_text(row.peer, row.flags);
    facts.peer_port = row.peer_port;
    facts.local_address = address_text(row.local, row.flags);
    facts.local_port = row.local_port;
    facts.loopback = (row.flags & SessionRow::kLoopback) != 0;
  }
  facts.session_id = row.id;
  facts.service = head_.services[row.service].name.view();
  facts.accepted_at = row.accepted_at;
  facts.compressed = (row.flags & SessionRow::kCompressed) != 0;
  return facts;
}

service::Parked Porter::record_of(std::uint32_t slot) const {
  const Extent record{rows_[slot].record.load()};
  if (record.empty()) return {};
  auto park = service::decode_park(heap_.view(record));
  if (!park) return {};  // it was read once when it came
  return std::move(park->parked);
}

}  // namespace postern::porter
