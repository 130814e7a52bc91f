// Relay: one TLS connection. Octets go between the client's TCP socket (TLS) and one end of a
// socketpair (plain), whose other end is the session's socket.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "lib/base/fd.h"
#include "lib/base/result.h"
#include "master/transportd/flow.h"
#include "master/transportd/openssl_owners.h"
#include "master/transportd/ssl_memory.h"

namespace postern::transportd {

class Relay final : public Flow {
 public:
  enum class State { handshake, open, ended };

  /// `tcp` is non-blocking. `before_tls` is written in the clear first (the OK to STARTTLS).
  Relay(Fd tcp, Ssl ssl, std::string_view before_tls);
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;
  ~Relay() override;

  void pump() override;
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool ended() const override { return state_ == State::ended; }
  [[nodiscard]] Interest interest() const override;
  [[nodiscard]] bool owes() const override { return !to_tls_.empty(); }
  /// Once, after the handshake: this relay's end of the socketpair.
  void attach_plain(Fd plain);
  [[nodiscard]] bool attached() const { return static_cast<bool>(plain_); }
  void rest() override;
  /// What has come behind the handshake: nothing yet, octets or their end, or an error alone.
  enum class Input { none, some, broken };
  Input first_input();

  /// Not while at rest.
  [[nodiscard]] SSL* ssl() const { return ssl_.get(); }
  [[nodiscard]] int tcp_fd() const override { return tcp_.get(); }
  [[nodiscard]] int plain_fd() const override { return plain_.get(); }
  [[nodiscard]] const std::string& why_ended() const override { return why_; }

 private:
  bool shake_hands();
  bool write_clear();
  bool tls_to_plain();
  bool plain_to_tls();
  bool flush_plain();
  bool flush_tls();
  std::size_t write_tls(std::string_view bytes);
  void client_closed();
  void session_closed();
  void end(std::string why);
  bool tls_result(int result, std::string_view what);
  [[nodiscard]] bool has_read_ahead() const;

  Fd tcp_;
  Ssl ssl_;
  FoldedSsl folded_;  // what ssl_ held, while the connection rests
  Fd plain_;
  State state_ = State::handshake;
  Pending clear_;               // written before the handshake
  Pending to_plain_;            // decrypted, waits for the session
  Pending to_tls_;              // from the session, waits for the client
  bool client_ended_ = false;   // close_notify or FIN seen: no more input
  bool told_session_ = false;   // … and the session has seen the end
  bool session_ended_ = false;  // the session closed its end: finish output, then close
  bool tls_wants_write_ = false;
  bool more_ = false;  // others had their turn: OpenSSL may have octets that it read ahead
  std::string why_;
};

}  // namespace postern::transportd
