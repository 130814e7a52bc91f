// A blocking client connection over TCP, with or without TLS, that is cheap enough never to be the
// limit of a measurement.
#pragma once

#include <openssl/ssl.h>
#include <zlib.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/fd.h"
#include "tests/bench/load/load.h"

namespace postern::bench {

/// Where a server listens, whether TLS starts at once, and COMPRESS after the login.
struct Address {
  std::string host = "127.0.0.1";
  int port = 0;
  bool tls = false;
  bool compress = false;
};

/// From --host, --port, --tls 1 and --compress 1.
Address address_of(const Options& options);

/// Keeps the newest TLS session, so that the next connection can resume it. One per thread.
class TlsResumption {
 public:
  TlsResumption();
  [[nodiscard]] SSL_CTX* context() const { return context_.get(); }
  [[nodiscard]] SSL_SESSION* session() const { return session_.get(); }
  void forget() { session_.reset(); }

 private:
  static int keep(SSL* ssl, SSL_SESSION* session);
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)> session_;
};

/// Both directions of COMPRESS=DEFLATE (RFC 4978).
class Compression {
 public:
  Compression();
  Compression(const Compression&) = delete;
  Compression& operator=(const Compression&) = delete;
  ~Compression();
  std::string deflated(std::string_view bytes);
  /// Appends to `out`.
  void inflate_to(std::vector<char>& out, std::size_t& used, std::string_view blocks);

 private:
  z_stream out_{}, in_{};
};

class Connection {
 public:
  /// @param tls  used where address.tls is set; must outlive the connection
  explicit Connection(const Address& address, TlsResumption* tls = nullptr);

  /// From here on both sides send DEFLATE blocks.
  void compress() { compression_ = std::make_unique<Compression>(); }
  /// Makes and touches the memory for answers of up to `octets`, so that an answer's time isn't
  /// that of its reader's growth.
  void reserve(std::size_t octets) { buffer_.resize(std::max(buffer_.size(), octets)); }
  void send(std::string_view bytes);
  /// The next line without CRLF; valid until the next call.
  std::string_view line();
  /// Whether a whole line has been read already and not been given out.
  [[nodiscard]] bool has_line() const { return pending().find("\r\n") != std::string_view::npos; }
  /// Reads until the last line of what has come starts with `prefix` and is complete. Only for
  /// exchanges in which the server sends nothing behind that line. Valid until the next call.
  std::string_view until_last_line(std::string_view prefix);
  /// Reads until the line "." (POP3 multi-line answers); gives all before it.
  std::string_view until_dot();
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// Octets that have come, compressed where they were.
  [[nodiscard]] std::size_t received() const { return received_; }
  [[nodiscard]] bool resumed() const { return ssl_ && SSL_session_reused(ssl_.get()) == 1; }

 private:
  void fill();
  void fill_expanded();
  void send_octets(std::string_view bytes);
  std::size_t receive(char* to, std::size_t room);
  void drop_consumed();
  [[nodiscard]] std::string_view pending() const { return {buffer_.data() + from_, to_ - from_}; }

  Fd fd_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, SSL_free};
  std::unique_ptr<Compression> compression_;
  std::size_t received_ = 0;
  std::vector<char> buffer_;
  std::size_t from_ = 0;
  std::size_t to_ = 0;
};

}  // namespace postern::bench
