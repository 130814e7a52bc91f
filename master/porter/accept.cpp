// New connections: accept, limits, PROXY header, greeting.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/log/log.h"
#include "lib/net/endpoint.h"
#include "lib/net/proxy_protocol.h"
#include "master/porter/address.h"
#include "master/porter/porter.h"

namespace postern::porter {
namespace {

constexpr int kAcceptsATurn = 64;
constexpr std::int64_t kWarnEvery = 1000;  // ms

}  // namespace

void Porter::open_listener(std::uint32_t index) {
  const service::ListenerRow& row = head_.listeners[index];
  if (row.fd < 0) return;
  const service::PoolRow& pool = head_.pools[head_.services[row.service].pool];
  if (pool.greeted.load() == 0) return;  // until then connections wait in the backlog
  watch_descriptor(row.fd, Source::listener, index, EPOLLIN);
}

void Porter::accept_from(std::uint32_t index) {
  const service::ListenerRow& listener = head_.listeners[index];
  for (int i = 0; i < kAcceptsATurn && listener.fd >= 0; ++i) {
    const int fd = accept4(listener.fd, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) {
      admit(fd, listener.service, false);
      continue;
    }
    if (errno == ECONNABORTED || errno == EINTR) continue;
    if (errno != EMFILE && errno != ENFILE) return;
    // No descriptor is left: turn one away instead of spinning on a listener that stays ready.
    reserve_.reset();
    Fd unwanted{accept4(listener.fd, nullptr, nullptr, SOCK_CLOEXEC)};
    unwanted.reset();
    reserve_.reset(open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!may_warn("no_descriptors")) return;
    LOG(error, "porter.no_descriptors", {"error", "the limit of open files is reached"});
    return;
  }
}

std::uint32_t Porter::take_row() {
  if (!free_rows_.empty()) {
    const std::uint32_t slot = free_rows_.back();
    free_rows_.pop_back();
    return slot;
  }
  const std::uint32_t top = head_.sessions_top.load();
  if (top >= head_.sessions) return kNone;
  head_.sessions_top.store(top + 1);
  return top;
}

/// `adopted`: found after a crash; everything else is the same.
void Porter::admit(int fd, std::uint32_t service, bool adopted) {
  SessionRow fresh{};
  fill_addresses(fd, fresh);
  fresh.service = service;
  service::ServiceRow& in_service = head_.services[service];
  const std::string_view why = refusal(fresh);
  const std::uint32_t slot = why.empty() ? take_row() : kNone;
  if (slot == kNone) {
    const Fd gone{fd};
    return refuse(fd, fresh, why.empty() ? "master.connections" : why);
  }
  if ((fresh.flags & SessionRow::kLocal) == 0) {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  }
  SessionRow& row = begin_row(slot, fd, service, fresh.flags);
  row.peer_port = fresh.peer_port;
  row.local_port = fresh.local_port;
  row.peer = fresh.peer;
  row.local = fresh.local;
  row.state.store(SessionState::greeting);  // from here on a successor knows of it
  in_service.accepted.fetch_add(1);
  count_session(slot, 1);
  LOG(debug, "session.accept", {"conn", row.id}, {"service", in_service.name.view()},
      {"peer", address_text(row.peer, row.flags)}, {"adopted", adopted});
  if (!comes_from_proxy(row)) return greet(slot);
  row.flags |= SessionRow::kProxy;
  watch_descriptor(row.fd, Source::session, slot, EPOLLIN | EPOLLRDHUP | EPOLLET);
  time_session(slot);
}

bool Porter::comes_from_proxy(const SessionRow& row) const {
  return net::in_networks(address_text(row.peer, row.flags),
                          head_.services[row.service].proxy_networks.view());
}

/// The PROXY header comes before anything else; then the session has its client's address.
void Porter::read_proxy_header(std::uint32_t slot) {
  SessionRow& row = rows_[slot];
  char bytes[net::kMaxProxyHeader];
  const auto got = ::recv(row.fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) return end_session(slot, "closed by peer", true);
  const auto header = net::parse_proxy_header({bytes, static_cast<std::size_t>(got)});
  if (!header) return end_session(slot, header.error().text, true);
  if (header->state == net::ProxyHeader::State::incomplete) return;
  if (header->state == net::ProxyHeader::State::proxied) {
    count_session(slot, -1);
    row.flags &= ~(SessionRow::kLoopback | SessionRow::kLocal);
    row.peer = address_bytes(header->source_address);
    row.peer_port = header->source_port;
    row.local = address_bytes(header->destination_address);
    row.local_port = header->destination_port;
    const std::string_view why = refusal(row);
    count_session(slot, 1);
    if (!why.empty()) return turn_away(slot, why);
  }
  // Taken off last: until then a successor reads the same header again.
  static_cast<void>(::recv(row.fd, bytes, header->size, MSG_DONTWAIT));
  row.flags &= ~SessionRow::kProxy;
  greet(slot);
  poll_session(slot, true);  // a line may have come behind the header
}

/// A row with everything but the addresses; still free until its state says otherwise.
SessionRow& Porter::begin_row(std::uint32_t slot, int fd, std::uint32_t service,
                              std::uint32_t flags) {
  SessionRow& row = rows_[slot];
  row.fd = fd;
  row.id = head_.next_session_id.fetch_add(1);
  row.wake = 0;
  row.worker = kNone;
  row.service = service;
  row.flags = flags;
  row.record = 0;
  row.facts = 0;
  row.accepted_at = wall_seconds();
  row.since = now_;
  row.autologout_at = row.keepalive_at = row.keepalive_every = row.reply_at = 0;
  const std::int64_t login_timeout = head_.services[service].login_timeout;
  row.login_by = login_timeout > 0 && pool_row(row).needs_login != 0 ? now_ + login_timeout : 0;
  row.user_hash = 0;
  row.watch_count = 0;
  row.activity.set("");
  row.tls.set("");
  row.user.set("");
  row.mailbox.set("");
  return row;
}

/// A load balancer's own address counts for nothing: its header brings the client's.
std::string_view Porter::refusal(const SessionRow& row) const {
  const service::ServiceRow& service = head_.services[row.service];
  if (head_.stopping.load() != 0) return "stopping";
  if (service.connections.load() >= service.max_connections) return "max_connections";
  const bool is_proxy = (row.flags & SessionRow::kProxy) == 0 && comes_from_proxy(row);
  return is_proxy ? std::string_view{} : refusal_of_address(row);
}

std::string_view Porter::refusal_of_address(const SessionRow& row) const {
  const service::ServiceRow& service = head_.services[row.service];
  const std::string peer = address_text(row.peer, row.flags);
  if (net::in_networks(peer, service.deny_networks.view())) return "deny_networks";
  const std::string_view allowed = service.allow_networks.view();
  if (!allowed.empty() && !net::in_networks(peer, allowed)) return "allow_networks";
  if ((row.flags & SessionRow::kLoopback) != 0) return {};
  const auto at = by_address_.find(address_key(row.peer));
  if (at != by_address_.end() && at->second >= service.max_per_address) return "max_per_address";
  return {};
}

/// A flood of refusals is a line a second for each option.
bool Porter::may_warn(const std::string& option) {
  std::int64_t& last = warned_[option];
  if (last != 0 && now_ - last < kWarnEvery) return false;
  last = now_;
  return true;
}

/// Goodbye and a log line for a connection that may not come. Who is kept out by its network is
/// told nothing.
void Porter::refuse(int fd, const SessionRow& row, std::string_view why) {
  service::ServiceRow& service = head_.services[row.service];
  service.refused.fetch_add(1);
  const auto reason = why == "stopping" ? Goodbye::shutting_down : Goodbye::too_many;
  const auto text = pool_row(row).goodbye[static_cast<std::size_t>(reason)].view();
  if (!why.ends_with("_networks"))
    ::send(fd, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  const bool of_service = why != "stopping" && why != "master.connections";
  const std::string option =
      of_service ? fmt::format("service.{}.{}", service.name.view(), why) : std::string(why);
  if (!may_warn(option)) return;
  LOG(warning, "session.refused", {"service", service.name.view()},
      {"peer", address_text(row.peer, row.flags)}, {"option", option});
}

/// The same for one that has a row already.
void Porter::turn_away(std::uint32_t slot, std::string_view why) {
  refuse(rows_[slot].fd, rows_[slot], why);
  end_session(slot, "refused", false);
}

/// Writes the greeting and lets the session be quiet.
void Porter::greet(std::uint32_t slot) {
  SessionRow& row = rows_[slot];
  const std::size_t which = ((row.flags & SessionRow::kTls) != 0 ? 1U : 0U) +
                            ((row.flags & SessionRow::kLoopback) != 0 ? 2U : 0U);
  if ((row.flags & SessionRow::kGreeted) == 0) {
    const std::string_view text = pool_row(row).greeting[which].view();
    const auto at = text.find(service::kSessionMark);
    if (at == std::string_view::npos)
      say(slot, text);
    else
      say(slot,
          fmt::format("{}{}{}", text.substr(0, at), service::session_mark(row.id, row.accepted_at),
                      text.substr(at + service::kSessionMark.size())));
  }
  row.flags |= SessionRow::kGreeted;
  start_session(slot);
}

void Porter::start_session(std::uint32_t slot) {
  SessionRow& row = rows_[slot];
  row.state.store(SessionState::quiet);
  watch_descriptor(row.fd, Source::session, slot, EPOLLIN | EPOLLRDHUP | EPOLLET);
  time_session(slot);
}

/// From transportd: TLS is done, `fd` is a plain socketpair end.
void Porter::take_connection(std::string_view message, Fd fd) {
  const auto facts = service::decode_connection(message);
  const std::uint32_t service = facts ? scoreboard_.find_service(facts->service) : kNone;
  const std::uint32_t slot = service != kNone && fd ? take_row() : kNone;
  if (slot == kNone) {
    LOG(warning, "porter.bad_connection", {"error", facts ? facts->service : facts.error().text});
    return;
  }
  const auto blob = heap_.store(service::encode_facts(*facts));
  if (!blob) return free_rows_.push_back(slot);
  const std::uint32_t flags = (facts->tls ? SessionRow::kTls : 0) |
                              (facts->loopback ? SessionRow::kLoopback : 0) |
                              (facts->greeted ? SessionRow::kGreeted : 0);
  SessionRow& row = begin_row(slot, fd.release(), service, flags);
  row.accepted_at = facts->accepted_at;
  row.peer = address_bytes(facts->peer_address);
  row.peer_port = facts->peer_port;
  row.local = address_bytes(facts->local_address);
  row.local_port = facts->local_port;
  row.facts = blob->word();
  if (facts->tls) row.tls.set(fmt::format("{} {}", facts->tls_version, facts->cipher));
  // After STARTTLS the client was let in already.
  const std::string_view why = facts->greeted ? std::string_view{} : refusal(row);
  row.state.store(SessionState::greeting);
  count_session(slot, 1);
  if (!why.empty()) return turn_away(slot, why);
  greet(slot);
}

}  // namespace postern::porter
