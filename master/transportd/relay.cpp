#include "master/transportd/relay.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <optional>

#include "master/transportd/certificates.h"

namespace postern::transportd {
namespace {

constexpr int kRounds = 16;                // then others have their turn
constexpr std::size_t kRecord = 16 << 10;  // octets at most (RFC 8446 §5.1)

// While it lives, the kernel makes full segments of what is written: OpenSSL sends each record by
// itself, and each woke the client.
class Cork {
 public:
  explicit Cork(int tcp) : tcp_(tcp) { set(1); }
  Cork(const Cork&) = delete;
  Cork& operator=(const Cork&) = delete;
  ~Cork() { set(0); }

 private:
  void set(int on) const { setsockopt(tcp_, IPPROTO_TCP, TCP_CORK, &on, sizeof on); }
  int tcp_;
};

/// Whether neither direction of the connection is open any more.
bool is_closed(int tcp) {
  pollfd about{.fd = tcp, .events = 0, .revents = 0};
  return poll(&about, 1, 0) == 1;
}

}  // namespace

Relay::Relay(Fd tcp, Ssl ssl, std::string_view before_tls)
    : tcp_(std::move(tcp)), ssl_(std::move(ssl)) {
  clear_.put(before_tls);
  SSL_set_fd(ssl_.get(), tcp_.get());
  SSL_set_accept_state(ssl_.get());
}

Relay::~Relay() { folded_.unfold(ssl_.get()); }

void Relay::rest() {
  if (state_ == State::open && attached()) folded_.fold(ssl_.get());
}

Relay::Input Relay::first_input() {
  ERR_clear_error();
  char octet = 0;
  const int result = SSL_peek(ssl_.get(), &octet, 1);
  if (result > 0) return Input::some;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return Input::none;
    case SSL_ERROR_SYSCALL:
    case SSL_ERROR_SSL:
      ERR_clear_error();
      return Input::broken;
    default:
      // An end of input is no end of output, unless a reset met the ticket that we wrote: then it
      // looks the same here.
      return is_closed(tcp_.get()) ? Input::broken : Input::some;
  }
}

void Relay::attach_plain(Fd plain) { plain_ = std::move(plain); }

void Relay::end(std::string why) {
  state_ = State::ended;
  if (why_.empty()) why_ = std::move(why);
}

void Relay::pump() {
  folded_.unfold(ssl_.get());
  if (state_ == State::handshake && !shake_hands()) return;
  if (state_ != State::open || !attached()) return;
  bool moved = true;
  for (int round = 0; moved && state_ == State::open && round < kRounds; ++round) {
    moved = flush_plain();
    moved |= tls_to_plain();
    moved |= flush_tls();
    moved |= plain_to_tls();
  }
  if (state_ != State::open) return;
  more_ = moved;
  client_closed();
  session_closed();
}

// The client's end of input becomes the session's, after all octets before it; output goes on.
void Relay::client_closed() {
  if (!client_ended_ || told_session_ || !to_plain_.empty()) return;
  shutdown(plain_.get(), SHUT_WR);
  told_session_ = true;
}

void Relay::session_closed() {
  if (!session_ended_ || !to_tls_.empty()) return;
  SSL_shutdown(ssl_.get());
  end("session ended");
}

bool Relay::write_clear() {
  while (!clear_.empty()) {
    const ssize_t sent = send_some(tcp_.get(), clear_.view());
    if (sent < 0) end("closed before the handshake");
    if (sent <= 0) return false;
    clear_.take(static_cast<std::size_t>(sent));
  }
  return true;
}

/// True when the handshake is done.
bool Relay::shake_hands() {
  if (!write_clear()) return false;
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    tls_wants_write_ = false;
    state_ = State::open;
    return true;
  }
  tls_result(result, "handshake");
  return false;
}

/// False when nothing more can be done now; ends the relay on an error.
bool Relay::tls_result(int result, std::string_view what) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return false;
    case SSL_ERROR_WANT_WRITE:
      tls_wants_write_ = true;
      return false;
    case SSL_ERROR_ZERO_RETURN:
      client_ended_ = true;
      // Nothing can follow a handshake whose client has gone, and its socket stays ready.
      if (state_ == State::handshake) end("closed during the handshake");
      return false;
    default:
      break;
  }
  end(fmt::format("{}: {}", what, openssl_error()));
  return false;
}

bool Relay::tls_to_plain() {
  if (client_ended_ || !to_plain_.empty()) return false;
  tls_wants_write_ = false;
  const int got = SSL_read(ssl_.get(), scratch().data(), static_cast<int>(scratch().size()));
  if (got <= 0) return tls_result(got, "read");
  const std::string_view bytes(scratch().data(), static_cast<std::size_t>(got));
  const ssize_t sent = send_some(plain_.get(), bytes);
  if (sent < 0) {
    session_ended_ = true;  // it doesn't read any more; what it has written still goes out
    client_ended_ = told_session_ = true;
    return true;
  }
  to_plain_.put(bytes.substr(static_cast<std::size_t>(sent)));
  return true;
}

bool Relay::flush_plain() {
  if (to_plain_.empty()) return false;
  const ssize_t sent = send_some(plain_.get(), to_plain_.view());
  if (sent < 0) {
    to_plain_ = {};
    client_ended_ = told_session_ = true;
    return false;
  }
  to_plain_.take(static_cast<std::size_t>(sent));
  return sent > 0;
}

bool Relay::plain_to_tls() {
  if (session_ended_ || !to_tls_.empty()) return false;
  const ssize_t got = recv(plain_.get(), scratch().data(), scratch().size(), MSG_DONTWAIT);
  if (got < 0) {
    if (errno == EINTR) return true;
    if (errno != EAGAIN && errno != EWOULDBLOCK) session_ended_ = true;
    return false;
  }
  if (got == 0) {
    session_ended_ = true;
    return false;
  }
  const std::string_view bytes(scratch().data(), static_cast<std::size_t>(got));
  const std::size_t taken = write_tls(bytes);
  if (taken < bytes.size()) to_tls_.put(bytes.substr(taken));
  return taken > 0;
}

bool Relay::flush_tls() {
  if (to_tls_.empty()) return false;
  const std::size_t taken = write_tls(to_tls_.view());
  to_tls_.take(taken);
  return taken > 0;
}

/// How many of `bytes` OpenSSL took; it wants the others again, from wherever they lie then.
std::size_t Relay::write_tls(std::string_view bytes) {
  std::size_t taken = 0;
  std::optional<Cork> cork;
  if (bytes.size() > kRecord) cork.emplace(tcp_.get());
  while (taken < bytes.size()) {
    const int sent =
        SSL_write(ssl_.get(), bytes.data() + taken, static_cast<int>(bytes.size() - taken));
    if (sent <= 0) {
      // Where the client's end was seen before, OpenSSL says the same of a broken socket: without
      // this the octets would wait for ever, and the socket be ready all the time.
      if (SSL_get_error(ssl_.get(), sent) == SSL_ERROR_ZERO_RETURN) end("closed by the client");
      if (state_ == State::open) tls_result(sent, "write");
      return taken;
    }
    taken += static_cast<std::size_t>(sent);
  }
  return taken;
}

/// epoll doesn't know of these octets; a socket that can be written wakes us at once.
bool Relay::has_read_ahead() const {
  return more_ && !client_ended_ && to_plain_.empty() && SSL_has_pending(ssl_.get()) == 1;
}

Relay::Interest Relay::interest() const {
  if (state_ == State::handshake)
    return {.tcp_in = true, .tcp_out = tls_wants_write_ || !clear_.empty()};
  return {.tcp_in = attached() && !client_ended_ && to_plain_.empty(),
          .tcp_out = !to_tls_.empty() || tls_wants_write_ || has_read_ahead(),
          .plain_in = attached() && !session_ended_ && to_tls_.empty(),
          .plain_out = !to_plain_.empty()};
}

}  // namespace postern::transportd
