#include "master/transportd/server.h"

#include <fcntl.h>
#include <malloc.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "lib/base/clock.h"
#include "lib/base/program_pages.h"
#include "lib/log/log.h"
#include "lib/net/endpoint.h"
#include "lib/net/proxy_protocol.h"
#include "lib/service/message.h"
#include "master/transportd/ssl_memory.h"
#include "master/transportd/tls_facts.h"

namespace postern::transportd {
namespace {

constexpr std::size_t kMaxPem = 1 << 20;
constexpr std::size_t kWorthTrimming = 64;  // connections that have gone: about a megabyte
constexpr std::size_t kReserve = 64;        // descriptors that are no connections
constexpr int kTurns = 64;  // connections taken from one source before others have their turn

std::uint64_t token_of(int source, std::uint64_t number) {
  return number << 8 | static_cast<std::uint64_t>(source);
}

std::uint32_t mask(bool in, bool out) { return (in ? EPOLLIN : 0U) | (out ? EPOLLOUT : 0U); }

/// The whole file behind a descriptor whose offset may be anywhere.
Result<std::string> contents(int fd) {
  struct stat facts {};
  if (fstat(fd, &facts) != 0) return errno_error("fstat", "key material");
  if (static_cast<std::size_t>(facts.st_size) > kMaxPem) return fail(Errc::too_big, "over 1 MiB");
  std::string out(static_cast<std::size_t>(facts.st_size), '\0');
  const ssize_t got = pread(fd, out.data(), out.size(), 0);
  if (got != facts.st_size) return errno_error("pread", "key material");
  return out;
}

bool has_hung_up(int fd) {
  pollfd item{fd, POLLRDHUP, 0};
  return ::poll(&item, 1, 0) > 0;
}

void set_non_blocking(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

service::Facts facts_of(int socket, const std::string& service) {
  service::Facts facts;
  facts.service = service;
  facts.accepted_at = wall_seconds();
  if (const auto peer = net::peer_address(socket)) {
    facts.peer_address = peer->host;
    facts.peer_port = peer->port;
    facts.loopback = peer->loopback;
  }
  if (const auto local = net::local_address(socket)) {
    facts.local_address = local->host;
    facts.local_port = local->port;
  }
  return facts;
}

}  // namespace

Server::Server(Fd control, Fd door, Fd tls_door, std::int64_t handshake_limit)
    : control_(std::move(control)),
      door_(std::move(door)),
      tls_door_(std::move(tls_door)),
      handshake_limit_(handshake_limit) {}

Result<void> Server::prepare() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return errno_error("getrlimit", "open files");
  most_connections_ = (std::max<std::size_t>(files.rlim_cur, kReserve) - kReserve) / 2;
  epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_) return errno_error("epoll_create", "");
  TRY(watch_source(control_.get(), Source::control, EPOLLIN));
  // All transportds wait at the same door: wake one of them only.
  return watch_source(tls_door_.get(), Source::hand_in, EPOLLIN | EPOLLEXCLUSIVE);
}

Result<void> Server::watch_source(int fd, Source source, std::uint32_t events) {
  epoll_event event{.events = events, .data = {.u64 = token_of(static_cast<int>(source), 0)}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return {};
  return errno_error("epoll_ctl", "door");
}

void Server::run() {
  std::array<epoll_event, 256> events{};
  while (!master_gone_ && !(stopping_ && connections_.empty())) {
    const int count = epoll_wait(epoll_.get(), events.data(), events.size(), wait_millis());
    rest_after(count);
    for (int i = 0; i < count; ++i) on_event(events[static_cast<std::size_t>(i)].data.u64);
    sweep();
  }
}

int Server::wait_millis() const {
  return connections_.empty() && dropped_ < kWorthTrimming && !active_lately_ ? -1 : 1000;
}

/// After the first second without an event.
void Server::rest_after(int events) {
  if (events != 0)
    active_lately_ = true;
  else if (std::exchange(active_lately_, false))
    let_go_of_program_pages();
}

void Server::on_event(std::uint64_t token) {
  const std::uint64_t number = token >> 8;
  switch (static_cast<Source>(token & 255)) {
    case Source::control:
      return on_control();
    case Source::hand_in:
      return on_hand_in();
    case Source::listener: {
      const auto at = listeners_.find(static_cast<int>(number));
      if (at != listeners_.end()) accept_all(at->second);
      return;
    }
    case Source::tcp:
    case Source::plain:
      return advance(number);
  }
}

// Orders of master and porter.

void Server::on_control() {
  for (;;) {
    auto message =
        net::receive_message(control_.get(), service::transport::kMaxMessage, net::Wait::no);
    if (!message) {
      if (message.error().code == Errc::closed) master_gone_ = true;
      return;
    }
    const auto order = service::transport::decode_control(message->bytes);
    if (!order) {
      LOG(error, "transportd.bad_order", {"error", order.error().text});
      continue;
    }
    obey(*order, std::move(message->descriptors));
  }
}

void Server::obey(const ControlMessage& message, std::vector<Fd> descriptors) {
  Result<void> done;
  switch (message.kind) {
    case Kind::certificate:
      done = gather_certificate(message, descriptors);
      break;
    case Kind::profile:
      done = gather_profile(message, descriptors);
      break;
    case Kind::tickets:
      gather_tickets(message.tickets);
      break;
    case Kind::apply:
      apply();
      break;
    case Kind::listener:
      if (!descriptors.empty()) add_listener(message, std::move(descriptors.front()));
      break;
    case Kind::unlisten:
      close_listeners();
      break;
    case Kind::stop:
      close_listeners();
      stopping_ = true;
      break;
    case Kind::none:
    case Kind::applied:
      break;
  }
  if (!done) LOG(error, "transportd.bad_order", {"error", done.error().text});
}

Result<void> Server::gather_certificate(const ControlMessage& message,
                                        std::vector<Fd>& descriptors) {
  if (descriptors.size() < 2) return fail(Errc::bad_syntax, "a certificate without its key");
  Certificate certificate;
  certificate.names = message.names;
  certificate.chain_pem = TRY(contents(descriptors[0].get()));
  certificate.key_pem = TRY(contents(descriptors[1].get()));
  if (message.has_ocsp && descriptors.size() > 2)
    certificate.ocsp_der = TRY(contents(descriptors[2].get()));
  gathered_.certificates.push_back(std::move(certificate));
  return {};
}

Result<void> Server::gather_profile(const ControlMessage& message, std::vector<Fd>& descriptors) {
  gathered_.allow_tls12 = message.tls12;
  gathered_.ciphers12 = message.ciphers;
  if (!descriptors.empty()) gathered_.client_ca_pem = TRY(contents(descriptors[0].get()));
  return {};
}

void Server::gather_tickets(std::string_view bytes) {
  std::vector<TicketKey> keys(bytes.size() / sizeof(TicketKey));
  static_assert(sizeof(TicketKey) == 80);
  bytes.copy(reinterpret_cast<char*>(keys.data()), keys.size() * sizeof(TicketKey));
  tickets_ = std::move(keys);
  for (const auto& [alpn, contexts] : contexts_) contexts->set_ticket_keys(tickets_);
}

/// A set that doesn't load keeps the old one; master logs what the answer says.
void Server::apply() {
  const Profile before = std::exchange(active_, std::exchange(gathered_, {}));
  const auto made = make_contexts();
  if (!made) active_ = before;
  give_memory_back();  // what reading keys and certificates left
  ControlMessage answer;
  answer.kind = Kind::applied;
  if (!made) answer.error = made.error().text;
  if (const auto sent = net::send_message(control_.get(), encode(answer), {}, net::Wait::no); !sent)
    LOG(warning, "transportd.answer_lost", {"error", sent.error().text});
}

Result<void> Server::make_contexts() {
  std::map<std::string, std::shared_ptr<TlsContexts>> fresh;
  for (const char* alpn : {"", "imap", "pop3", "managesieve"})
    fresh[alpn] = TRY(TlsContexts::create(active_, alpn, tickets_));
  contexts_ = std::move(fresh);
  return {};
}

void Server::add_listener(const ControlMessage& message, Fd socket) {
  const int fd = socket.get();
  set_non_blocking(fd);
  listeners_[fd] = {std::move(socket),      message.service,        message.alpn,
                    message.proxy_networks, message.allow_networks, message.deny_networks};
  // Every transportd waits on the same socket: wake one of them only.
  epoll_event event{.events = EPOLLIN | EPOLLEXCLUSIVE,
                    .data = {.u64 = token_of(static_cast<int>(Source::listener),
                                             static_cast<std::uint64_t>(fd))}};
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
}

// Other processes hold the same sockets: closing ours alone would leave a dead slot in our epoll,
// which then swallows exclusive wake-ups for ever.
void Server::close_listeners() {
  for (const auto& [fd, listener] : listeners_) epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  listeners_.clear();
}

void Server::on_hand_in() {
  for (int i = 0; i < kTurns; ++i) {
    auto message = net::receive_message(tls_door_.get(), service::kMaxMessage, net::Wait::no);
    if (!message) return;
    if (service::kind_of(message->bytes) == service::Kind::compress)
      begin_compression(std::move(*message));
    else
      begin_tls(std::move(*message));
  }
}

void Server::begin_tls(net::Message message) {
  auto request = service::decode_tls_request(message.bytes);
  if (!request || message.descriptors.empty()) {
    LOG(error, "transportd.bad_order", {"error", request ? "no socket" : request.error().text});
    return;
  }
  if (!has_room()) return;
  Fd tcp = std::move(message.descriptors.front());
  set_non_blocking(tcp.get());
  const std::uint64_t number = arrive(std::move(request->facts), request->alpn);
  connections_[number].shared = true;
  begin(number, std::move(tcp), request->ok_line);
}

void Server::begin_compression(net::Message message) {
  auto request = service::decode_compress_request(message.bytes);
  if (!request || message.descriptors.size() < 2) {
    LOG(error, "transportd.bad_order", {"error", request ? "no sockets" : request.error().text});
    return;
  }
  if (!has_room()) return;
  const std::uint64_t number = next_number_++;
  Connection& connection = connections_[number];
  connection.shared = true;
  connection.session_id = request->facts.session_id;
  connection.flow = std::make_unique<CompressRelay>(std::move(message.descriptors[0]),
                                                    std::move(message.descriptors[1]),
                                                    request->ok_line, request->unread);
  LOG(notice, "compress.open", {"conn", request->facts.session_id},
      {"peer", request->facts.peer_address}, {"service", request->facts.service});
  advance(number);
}

// Connections.

std::string_view Server::Listener::refuses(const std::string& address) const {
  if (net::in_networks(address, deny_networks)) return "deny_networks";
  const bool allowed = allow_networks.empty() || net::in_networks(address, allow_networks);
  return allowed ? "" : "allow_networks";
}

bool Server::admits(const Listener& listener, const service::Facts& facts) {
  const std::string_view why = listener.refuses(facts.peer_address);
  if (why.empty()) return true;
  const std::string option = fmt::format("service.{}.{}", listener.service, why);
  if (may_warn(option))
    LOG(notice, "tls.refused", {"peer", facts.peer_address}, {"service", listener.service},
        {"option", option});
  return false;
}

/// Two descriptors a connection. The rest is for turning others away: a listener on which nothing
/// can be accepted stays ready, and would keep us busy.
bool Server::has_room() {
  if (connections_.size() < most_connections_) return true;
  if (may_warn("no_descriptors"))
    LOG(error, "transportd.no_descriptors", {"sessions", connections_.size()});
  return false;
}

bool Server::may_warn(const std::string& option) {
  const std::int64_t now = steady_millis();
  std::int64_t& last = warned_[option];
  if (last != 0 && now - last < 1000) return false;
  last = now;
  return true;
}

void Server::accept_all(const Listener& listener) {
  for (int i = 0; i < kTurns; ++i) {
    Fd tcp(accept4(listener.socket.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!tcp) return;
    if (!has_room()) continue;
    net::set_nodelay(tcp.get());
    auto facts = facts_of(tcp.get(), listener.service);
    if (!net::in_networks(facts.peer_address, listener.proxy_networks)) {
      if (!admits(listener, facts)) continue;
      begin(arrive(std::move(facts), listener.alpn), std::move(tcp));
      continue;
    }
    const std::uint64_t number = arrive(std::move(facts), listener.alpn);
    Arrival& arrival = *connections_[number].arrival;
    arrival.before_proxy = std::move(tcp);
    arrival.listener = listener.socket.get();
    // Edges: half a header stays in the socket, and would be ready all the time.
    epoll_event event{.events = EPOLLIN | EPOLLET,
                      .data = {.u64 = token_of(static_cast<int>(Source::tcp), number)}};
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, arrival.before_proxy.get(), &event);
  }
}

std::uint64_t Server::arrive(service::Facts facts, const std::string& alpn) {
  const std::uint64_t number = next_number_++;
  connections_[number].arrival = std::make_unique<Arrival>(
      Arrival{std::move(facts), alpn, steady_millis() + handshake_limit_, {}, -1});
  return number;
}

/// `tcp` is non-blocking.
void Server::begin(std::uint64_t number, Fd tcp, std::string_view cleartext) {
  if (const auto done = shake(connections_[number], std::move(tcp), cleartext); !done)
    return drop(number, done.error().text);
  advance(number);
}

Result<void> Server::shake(Connection& connection, Fd tcp, std::string_view cleartext) {
  const auto at = contexts_.find(connection.arrival->alpn);
  if (at == contexts_.end()) return fail(Errc::unavailable, "no certificate is loaded");
  connection.contexts = at->second;
  Ssl ssl(SSL_new(connection.contexts->standard()));
  if (!ssl) return fail(Errc::io, "SSL_new: {}", openssl_error());
  auto relay = std::make_unique<Relay>(std::move(tcp), std::move(ssl), cleartext);
  connection.relay = relay.get();
  connection.flow = std::move(relay);
  return {};
}

/// Looks at the header without taking it, then takes exactly its octets: TLS follows at once.
void Server::read_proxy_header(std::uint64_t number, Connection& connection) {
  std::array<char, net::kMaxProxyHeader> bytes{};
  Arrival& arrival = *connection.arrival;
  const int fd = arrival.before_proxy.get();
  const ssize_t seen = recv(fd, bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
  if (seen < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (seen <= 0) return drop(number, "closed before its PROXY header");
  const auto header = net::parse_proxy_header({bytes.data(), static_cast<std::size_t>(seen)});
  if (!header) return drop(number, header.error().text);
  if (header->state == net::ProxyHeader::State::incomplete) return;
  if (recv(fd, bytes.data(), header->size, MSG_DONTWAIT) != static_cast<ssize_t>(header->size))
    return drop(number, "PROXY header vanished");
  if (header->state == net::ProxyHeader::State::proxied) {
    arrival.facts.peer_address = header->source_address;
    arrival.facts.peer_port = header->source_port;
    arrival.facts.local_address = header->destination_address;
    arrival.facts.local_port = header->destination_port;
    arrival.facts.loopback = false;
  }
  const auto from = listeners_.find(arrival.listener);
  if (from != listeners_.end() && !admits(from->second, arrival.facts))
    return drop(number, "refused");
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  begin(number, std::move(arrival.before_proxy));
}

void Server::advance(std::uint64_t number) {
  const auto at = connections_.find(number);
  if (at == connections_.end()) return;  // ended by an earlier event of this round
  Connection& connection = at->second;
  if (connection.arrival && connection.arrival->before_proxy)
    return read_proxy_header(number, connection);
  connection.moved = true;
  Flow& flow = *connection.flow;
  flow.pump();
  if (connection.arrival && connection.relay->state() == Relay::State::open) {
    const Relay::Input input = connection.relay->first_input();
    // Who shakes hands and breaks off at once (a scanner, a monitor) makes no work for others.
    if (input == Relay::Input::broken) return drop(number, "broken off after the handshake");
    if (const auto done = announce(connection); !done) return drop(number, done.error().text);
    if (input == Relay::Input::some) flow.pump();  // epoll doesn't know of what was read ahead
  }
  if (flow.ended()) return drop(number, flow.why_ended());
  if (const auto done = watch(number, connection); !done) drop(number, done.error().text);
}

/// The handshake is done: facts and the session's end of a socketpair go through porter's door.
Result<void> Server::announce(Connection& connection) {
  service::Facts& facts = connection.arrival->facts;
  SSL* const ssl = connection.relay->ssl();
  describe_tls(ssl, facts);
  facts.endpoint_binding = connection.contexts->endpoint_binding(ssl);
  auto pair = TRY(net::make_relay_pair());
  const int session = pair.b.get();
  TRY(net::send_message(door_.get(), service::encode_connection(facts), {&session, 1},
                        net::Wait::no));
  connection.relay->attach_plain(std::move(pair.a));
  LOG(notice, "tls.open", {"peer", facts.peer_address}, {"service", facts.service},
      {"tls", facts.tls_version}, {"cipher", facts.cipher}, {"sni", facts.sni},
      {"resumed", SSL_session_reused(ssl) == 1 ? "yes" : "no"});
  connection.arrival.reset();
  return {};
}

Result<void> Server::watch(std::uint64_t number, Connection& connection) {
  const Flow& flow = *connection.flow;
  const auto wanted = flow.interest(), before = connection.watched;
  TRY(wait_for(flow.tcp_fd(), mask(before.tcp_in, before.tcp_out),
               mask(wanted.tcp_in, wanted.tcp_out),
               token_of(static_cast<int>(Source::tcp), number)));
  TRY(wait_for(flow.plain_fd(), mask(before.plain_in, before.plain_out),
               mask(wanted.plain_in, wanted.plain_out),
               token_of(static_cast<int>(Source::plain), number)));
  connection.watched = wanted;
  return {};
}

/// 0 is "not at all": a socket whose peer has gone would wake us all the time (EPOLLHUP).
Result<void> Server::wait_for(int fd, std::uint32_t before, std::uint32_t events,
                              std::uint64_t token) {
  if (before == events) return {};
  epoll_event event{.events = events, .data = {.u64 = token}};
  const int change = before == 0 ? EPOLL_CTL_ADD : events == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
  if (epoll_ctl(epoll_.get(), change, fd, &event) == 0) return {};
  return errno_error("epoll_ctl", "connection");
}

void Server::drop(std::uint64_t number, std::string_view why) {
  const auto at = connections_.find(number);
  const Connection& connection = at->second;
  if (const Arrival* arrival = connection.arrival.get())
    LOG(notice, "tls.failed", {"peer", arrival->facts.peer_address},
        {"service", arrival->facts.service}, {"error", why});
  else if (connection.relay == nullptr)
    LOG(notice, "compress.end", {"conn", connection.session_id}, {"reason", why});
  unwatch(connection);
  connections_.erase(at);
  ++dropped_;
}

/// malloc keeps what the connections of a rush hour left, in pieces between those still here.
void Server::give_memory_back() {
  dropped_ = 0;
  malloc_trim(0);
  release_free_ssl_memory();
}

/// Before the descriptors are closed: duplicates that others hold would keep the slots.
void Server::unwatch(const Connection& connection) {
  if (!connection.shared || !connection.flow) return;
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, connection.flow->tcp_fd(), nullptr);
  if (connection.flow->plain_fd() >= 0)
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, connection.flow->plain_fd(), nullptr);
}

/// Whether a handshake takes too long; or a client as long to take what a session left behind that
/// is over: its worker waits no more, so nobody else would end it.
bool Server::is_late(Connection& connection, std::int64_t now) const {
  if (connection.arrival) return connection.arrival->deadline < now;
  if (connection.moved || !connection.flow->owes() || !has_hung_up(connection.flow->plain_fd())) {
    connection.give_up_at = 0;
    return false;
  }
  if (connection.give_up_at == 0) connection.give_up_at = now + handshake_limit_;
  return connection.give_up_at < now;
}

/// Once a second: who is late; memory of idle connections and of those that have gone (not at each
/// end: the next connection would fetch the pages again).
void Server::sweep() {
  const std::int64_t now = steady_millis();
  if (now < next_sweep_) return;
  next_sweep_ = now + 1000;
  std::vector<std::uint64_t> late;
  for (auto& [number, connection] : connections_) {
    if (is_late(connection, now)) late.push_back(number);
    if (!std::exchange(connection.moved, false) && connection.flow) connection.flow->rest();
  }
  for (const std::uint64_t number : late) drop(number, "takes too long");
  if (dropped_ >= std::max(kWorthTrimming, connections_.size())) give_memory_back();
}

}  // namespace postern::transportd
