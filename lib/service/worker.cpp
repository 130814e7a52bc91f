#include "lib/service/worker.h"

#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "lib/base/clock.h"
#include "lib/base/program_pages.h"
#include "lib/base/text.h"
#include "lib/log/log.h"
#include "lib/net/fd_passing.h"
#include "lib/service/login_delay.h"
#include "lib/service/poll_limit.h"

namespace postern::service {
namespace {

constexpr std::uint64_t kLookAtMemoryEvery = 64;  // sessions
constexpr std::int64_t kAskAgain = 500;           // ms until a login is told to porter once more
constexpr std::int64_t kGiveUp = 10'000;
constexpr std::int64_t kTidyAfter = 2'000;       // ms without a session
constexpr std::chrono::microseconds kAwake{50};  // some ten times what a command takes
constexpr std::size_t kWorthTrimming = 256 << 10;

// Set by SIGTERM: a signal handler can reach nothing else.
volatile sig_atomic_t terminated = 0;

void on_terminate(int) { terminated = 1; }

void catch_signals() {
  struct sigaction action {};
  action.sa_handler = on_terminate;  // no SA_RESTART: a waiting worker looks at once
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  signal(SIGHUP, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGCHLD, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// Octets of private memory, 0 if the kernel doesn't tell.
std::uint64_t private_memory() {
  const auto text = read_file("/proc/self/statm", 4096);
  if (!text) return 0;
  const auto words = split(*text, ' ');  // size resident shared …, in pages
  if (words.size() < 3) return 0;
  const auto resident = parse_u64(words[1]);
  const auto shared = parse_u64(words[2]);
  if (!resident || !shared || *resident < *shared) return 0;
  return (*resident - *shared) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

/// Waits for input, `wait` ms at most (-1: for ever). False on a signal or when time is up.
bool readable(int fd, std::int64_t wait) {
  pollfd item{fd, POLLIN, 0};
  return ::poll(&item, 1, static_cast<int>(wait)) > 0;
}

/// Octets of the next message, so that no large buffer is cleared for a small one.
std::size_t next_size(int fd) {
  const auto size = ::recv(fd, nullptr, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
  return size > 0 ? static_cast<std::size_t>(size) : 1;
}

}  // namespace

int Worker::run() {
  catch_signals();
  if (const auto started = daemon_.start_worker(*this); !started) {
    LOG(error, "worker.failed", {"daemon", daemon_.name()}, {"error", started.error().text});
    return EX_TEMPFAIL;
  }
  memory_at_start_ = private_memory();
  if (const auto joined = join(); !joined) {
    LOG(error, "worker.failed", {"daemon", daemon_.name()}, {"error", joined.error().text});
    return EX_TEMPFAIL;
  }
  tidy_at_ = steady_millis() + kTidyAfter;  // after the start
  const int status = serve_all();
  daemon_.finish();
  return status;
}

int Worker::serve_all() {
  while (const auto kind = next_message()) {
    if (*kind == Kind::retire) break;
    if (*kind != Kind::wake) continue;
    auto wake = decode_wake(message_);
    if (!wake || !passed_) {
      LOG(error, "worker.bad_wake", {"error", wake ? "no descriptor" : wake.error().text});
      return EX_PROTOCOL;
    }
    serve(std::move(*wake), std::move(passed_));
  }
  return EX_OK;
}

Result<void> Worker::join() {
  auto pair = TRY(net::make_seqpacket_pair());
  const Hello hello{setup_.pool, setup_.generation, getpid()};
  const int end = pair.b.get();
  TRY(net::send_message(setup_.door, encode(hello), {&end, 1}));
  channel_ = std::move(pair.a);
  ticket_ = {};
  reply_.clear();
  return {};
}

std::optional<Kind> Worker::next_message() {
  while (terminated == 0) {
    if (!await_message()) continue;
    auto message = net::receive_message(channel_.get(), next_size(channel_.get()), net::Wait::no);
    if (message) {
      message_ = std::move(message->bytes);
      passed_ = message->descriptors.empty() ? Fd{} : std::move(message->descriptors.front());
      return kind_of(message_);
    }
    if (message.error().code == Errc::unavailable) continue;
    if (message.error().code != Errc::closed || stopping() || !join()) return std::nullopt;
  }
  return std::nullopt;
}

bool Worker::await_message() {
  std::int64_t wait = daemon_.rest().value_or(-1);
  if (tidy_at_ != 0) {
    const std::int64_t left = std::max<std::int64_t>(0, tidy_at_ - steady_millis());
    if (left == 0)
      tidy();
    else
      wait = wait < 0 ? left : std::min(wait, left);
  }
  return readable(channel_.get(), wait);
}

/// A spare worker shall cost little, whatever it did before.
void Worker::tidy() {
  tidy_at_ = 0;
  daemon_.tidy();
  std::string().swap(message_);
  malloc_trim(0);
  let_go_of_program_pages();
}

void Worker::serve(Wake wake, Fd stream) {
  if (wake.ticket == ticket_) {  // a new porter asks what became of it
    static_cast<void>(send_reply());
    return;
  }
  ticket_ = wake.ticket;
  replaced_.reset();
  address_ = wake.facts.peer_address;
  ++served_;
  Session session;
  facts_ = wake.facts;
  // A session keeps and closes its own descriptor; STARTTLS and COMPRESS are known only after that.
  duplicate_.reset(tls_available() ? fcntl(stream.get(), F_DUPFD_CLOEXEC, 3) : -1);
  session.facts = std::move(wake.facts);
  session.stream = std::move(stream);
  session.state = std::move(wake.state);
  session.unread = std::move(wake.unread);
  session.changed = wake.changed;
  session.shutting_down = wake.shutting_down;
  reply_ = answer_for(ticket_, daemon_.serve(std::move(session), *this));
  duplicate_.reset();
  static_cast<void>(send_reply());  // a dead porter: see next_message
  tidy_at_ = steady_millis() + kTidyAfter;
  // What a command about a whole mailbox has freed.
  if (mallinfo2().fordblks > kWorthTrimming) malloc_trim(kWorthTrimming / 4);
}

Result<void> Worker::send_reply() const {
  const int stream = replaced_.get();
  if (stream < 0) return net::send_message(channel_.get(), reply_);
  return net::send_message(channel_.get(), reply_, {&stream, 1});
}

std::string Worker::answer_for(const Ticket& ticket, Outcome outcome) {
  const bool leaving = should_leave();
  if (outcome.kind == Outcome::Kind::parked) {
    const std::size_t size = outcome.parked.state.size() + outcome.parked.unread.size();
    if (size <= kMaxRecord) return encode(Park{ticket, leaving, std::move(outcome.parked)});
    LOG(error, "session.too_large", {"conn", ticket.session}, {"bytes", size});
    return encode(End{ticket, leaving, false, "record too large"});
  }
  if (outcome.kind == Outcome::Kind::compress)
    return encode(relay(ticket, leaving, std::move(outcome)));
  if (outcome.kind == Outcome::Kind::start_tls)
    return encode(hand_over(ticket, leaving, outcome.start_tls));
  return encode(End{ticket, leaving, false, std::move(outcome.ended.reason)});
}

End Worker::hand_over(const Ticket& ticket, bool leaving, const StartTls& start) {
  TlsRequest request{facts_, start.alpn, start.ok_line};
  request.facts.greeted = !start.greet_again;
  const int socket = duplicate_.get();
  const auto sent =
      net::send_message(setup_.tls_door, encode(request), {&socket, 1}, net::Wait::no);
  if (sent) return {ticket, leaving, true, "starttls"};
  LOG(error, "worker.no_transportd", {"error", sent.error().text});
  return {ticket, leaving, false, "no transportd takes the connection"};
}

Park Worker::relay(const Ticket& ticket, bool leaving, Outcome outcome) {
  Parked parked = std::move(outcome.parked);
  auto session = begin_compression(outcome.compress, parked.unread);
  if (session) {
    replaced_ = std::move(*session);
    parked.unread.clear();
  } else {
    LOG(error, "worker.no_transportd", {"error", session.error().text});
    parked.delayed_reply = std::move(outcome.compress.no_line);
  }
  return {ticket, leaving, std::move(parked)};
}

Result<Fd> Worker::begin_compression(const Compress& start, const std::string& unread) {
  auto pair = TRY(net::make_relay_pair());
  const std::array<int, 2> ends{duplicate_.get(), pair.a.get()};
  const CompressRequest request{facts_, start.ok_line, unread};
  TRY(net::send_message(setup_.tls_door, encode(request), ends, net::Wait::no));
  return std::move(pair.b);
}

bool Worker::should_leave() const {
  const PoolSettings& settings = setup_.settings;
  if (settings.max_sessions != 0 && served_ >= settings.max_sessions) return true;
  if (settings.max_growth == 0 || served_ % kLookAtMemoryEvery != 0) return false;
  return private_memory() > memory_at_start_ + settings.max_growth;
}

bool Worker::hurry() const {
  return setup_.scoreboard->head().pools[setup_.pool].waiting.load(std::memory_order_relaxed) != 0;
}

bool Worker::makes_room(std::uint32_t commands, std::size_t unread) const {
  // What doesn't fit into the record with the session's state is served first.
  return commands >= setup_.settings.max_pipelined && unread > 0 && unread <= kMaxRecord / 2 &&
         hurry();
}

bool Worker::tls_available() const {
  return !setup_.config->names_under("tls.certificate").empty();
}

bool Worker::stopping() const {
  return terminated != 0 || setup_.scoreboard->head().stopping.load() != 0;
}

// Whether each session in hand may have a processor for itself and leave one to its client.
bool Worker::processors_are_idle() const {
  static const long processors = sysconf(_SC_NPROCESSORS_ONLN);
  long busy = 0;
  for (const PoolRow& pool : setup_.scoreboard->head().pools)
    busy += long{pool.workers.load(std::memory_order_relaxed)} -
            long{pool.idle.load(std::memory_order_relaxed)};
  return 2 * busy <= processors;
}

net::Patience Worker::linger() const {
  if (hurry() || stopping() || setup_.settings.linger.count() == 0) return {};
  return {.wait = setup_.settings.linger,
          .awake = processors_are_idle() ? kAwake : std::chrono::microseconds{0}};
}

Result<void> Worker::logged_in(std::string_view user) {
  const std::int64_t give_up = steady_millis() + kGiveUp;
  const std::string question = encode(Login{ticket_, std::string(user)});
  while (steady_millis() < give_up) {
    TRY(net::send_message(channel_.get(), question));
    const std::int64_t ask_again = steady_millis() + kAskAgain;
    while (steady_millis() < ask_again) {
      if (!readable(channel_.get(), kAskAgain)) break;
      auto message = net::receive_message(channel_.get(), next_size(channel_.get()));
      if (!message) return std::move(message.error());
      // A new porter may repeat the wake: we have the session, so it needs no answer now.
      if (kind_of(message->bytes) != Kind::login_answer) continue;
      const auto answer = TRY(decode_login_answer(message->bytes));
      if (!(answer.ticket == ticket_)) continue;
      if (!answer.accepted) return fail(Errc::limit, "too many sessions of {}", user);
      LoginDelay(setup_.scoreboard->head().logins, {}, {}).succeeded(address_, user);
      return {};
    }
  }
  return fail(Errc::unavailable, "porter doesn't answer");
}

std::chrono::seconds Worker::too_early(std::string_view user, std::chrono::seconds interval,
                                       std::uint32_t burst) {
  return PollLimit(setup_.scoreboard->head().polls, interval, burst).come(user, wall_seconds());
}

std::chrono::milliseconds Worker::login_failed(std::string_view user) {
  LoginDelay delay(setup_.scoreboard->head().logins, setup_.config->duration("auth.failure_delay"),
                   setup_.config->duration("auth.failure_delay_max"));
  return delay.failed(address_, user);
}

}  // namespace postern::service
