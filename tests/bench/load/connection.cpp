// Sockets, TLS and the receive buffer of the load generators.
#include "tests/bench/load/connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace postern::bench {
namespace {

constexpr std::size_t kFirstSize = 4096;        // ten thousand idle connections cost little
constexpr std::size_t kMostAtOnce = 1U << 30U;  // SSL_read takes an int

Fd connect_tcp(const Address& address) {
  Fd fd{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  peer.sin_port = htons(static_cast<std::uint16_t>(address.port));
  if (inet_pton(AF_INET, address.host.c_str(), &peer.sin_addr) != 1) die("bad --host");
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&peer), sizeof peer) != 0)
    die(fmt::format("connect {}:{}: {}", address.host, address.port, std::strerror(errno)));
  const int on = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

}  // namespace

Address address_of(const Options& options) {
  return {options.text("host", "127.0.0.1"), options.number("port", 0),
          options.number("tls", 0) == 1, options.number("compress", 0) == 1};
}

TlsResumption::TlsResumption()
    : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free),
      session_(nullptr, SSL_SESSION_free) {
  SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_CLIENT);
  SSL_CTX_set_mode(context_.get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_app_data(context_.get(), this);
  SSL_CTX_sess_set_new_cb(context_.get(), keep);
}

int TlsResumption::keep(SSL* ssl, SSL_SESSION* session) {
  auto* self = static_cast<TlsResumption*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  self->session_.reset(session);
  return 1;  // the reference is ours now
}

Compression::Compression() {
  // Level 6 and the largest window: what a client takes that doesn't think about it.
  if (deflateInit2(&out_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) !=
          Z_OK ||
      inflateInit2(&in_, -MAX_WBITS) != Z_OK)
    die("zlib doesn't start");
}

Compression::~Compression() {
  deflateEnd(&out_);
  inflateEnd(&in_);
}

std::string Compression::deflated(std::string_view bytes) {
  std::string out(deflateBound(&out_, bytes.size()) + 64, '\0');
  out_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // zlib only reads it
  out_.avail_in = static_cast<uInt>(bytes.size());
  out_.next_out = reinterpret_cast<Bytef*>(out.data());
  out_.avail_out = static_cast<uInt>(out.size());
  if (deflate(&out_, Z_SYNC_FLUSH) != Z_OK || out_.avail_in != 0) die("deflate failed");
  out.resize(out.size() - out_.avail_out);
  return out;
}

void Compression::inflate_to(std::vector<char>& out, std::size_t& used, std::string_view blocks) {
  in_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(blocks.data()));
  in_.avail_in = static_cast<uInt>(blocks.size());
  do {
    if (out.size() - used < kFirstSize / 2) out.resize(out.size() * 2);
    in_.next_out = reinterpret_cast<Bytef*>(out.data() + used);
    in_.avail_out = static_cast<uInt>(std::min(out.size() - used, kMostAtOnce));
    const std::size_t room = in_.avail_out;
    const int code = inflate(&in_, Z_SYNC_FLUSH);
    if (code != Z_OK && code != Z_BUF_ERROR) die("the server's blocks are no DEFLATE");
    used += room - in_.avail_out;
  } while (in_.avail_in != 0 || in_.avail_out == 0);
}

Connection::Connection(const Address& address, TlsResumption* tls)
    : fd_(connect_tcp(address)), buffer_(kFirstSize) {
  if (!address.tls) return;
  if (tls == nullptr) die("TLS is not supported in this case");
  ssl_.reset(SSL_new(tls->context()));
  if (tls->session() != nullptr) SSL_set_session(ssl_.get(), tls->session());
  SSL_set_fd(ssl_.get(), fd_.get());
  if (SSL_connect(ssl_.get()) != 1) die("TLS handshake failed");
}

void Connection::send(std::string_view bytes) {
  if (!compression_) return send_octets(bytes);
  send_octets(compression_->deflated(bytes));
}

void Connection::send_octets(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ssl_ ? SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()))
                           : ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) die(fmt::format("send: {}", std::strerror(errno)));
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

std::size_t Connection::receive(char* to, std::size_t room) {
  const ssize_t n = ssl_ ? SSL_read(ssl_.get(), to, static_cast<int>(std::min(room, kMostAtOnce)))
                         : recv(fd_.get(), to, room, 0);
  if (n <= 0)
    die(fmt::format("the server closed the connection; last: {}", pending().substr(0, 200)));
  received_ += static_cast<std::size_t>(n);
  return static_cast<std::size_t>(n);
}

void Connection::fill() {
  if (compression_) return fill_expanded();
  if (buffer_.size() - to_ < kFirstSize / 2) buffer_.resize(buffer_.size() * 2);
  to_ += receive(buffer_.data() + to_, buffer_.size() - to_);
}

void Connection::fill_expanded() {
  std::array<char, 64 << 10> blocks;
  const std::size_t size = receive(blocks.data(), blocks.size());
  compression_->inflate_to(buffer_, to_, {blocks.data(), size});
}

void Connection::drop_consumed() {
  if (from_ == to_) from_ = to_ = 0;
}

std::string_view Connection::line() {
  drop_consumed();
  std::size_t end = 0;
  while ((end = pending().find("\r\n")) == std::string_view::npos) fill();
  const std::string_view found = pending().substr(0, end);
  from_ += end + 2;
  return found;
}

std::string_view Connection::until_last_line(std::string_view prefix) {
  drop_consumed();
  while (true) {
    const std::string_view all = pending();
    if (all.ends_with("\r\n")) {
      const std::size_t before = all.substr(0, all.size() - 2).rfind('\n');
      const std::size_t start = before == std::string_view::npos ? 0 : before + 1;
      if (all.substr(start).starts_with(prefix)) {
        from_ = to_;
        return all;
      }
    }
    fill();
  }
}

std::string_view Connection::until_dot() {
  drop_consumed();
  while (!pending().ends_with("\r\n.\r\n") && pending() != ".\r\n") fill();
  const std::string_view all = pending();
  from_ = to_;
  return all.substr(0, all.size() - 3);
}

}  // namespace postern::bench
