// Pop3: one POP3 session while a worker serves it: the Connection with everything that is opened
// for it. Handlers of commands are free functions over it (command/table.cpp).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lib/auth/auth.h"
#include "lib/meta/meta.h"
#include "lib/net/stream.h"
#include "lib/service/daemon.h"
#include "lib/store/store.h"
#include "pop3d/connection.h"

namespace postern::pop3d {

/// What a worker has for all its sessions.
struct Worker {
  auth::Authenticator* auth = nullptr;
  meta::Meta* meta = nullptr;
  store::Store* store = nullptr;
  std::string trace_directory;
};

class Pop3 {
 public:
  Pop3(Worker& worker, service::Runtime& runtime, service::Session session);

  /// Serves until the session ends or is quiet.
  service::Outcome serve();
  /// The protocol trace, if the operator wants one of this user.
  void begin_trace();

  // For the handlers.
  Connection conn;
  net::Stream stream;
  service::Facts facts;
  Worker& worker;
  service::Runtime& runtime;

  void ok(std::string_view text = "");  // "+OK text"
  void err(std::string_view text);      // "-ERR text"
  void err(const Error& error);         // by kind; logged where it is ours
  void end(std::string reason) { ended_ = std::move(reason); }
  /// After the command: hand the connection to transportd.
  void begin_tls() { tls_ = true; }
  /// The reply to a failed login, to be written by porter after the delay.
  void delay(std::chrono::milliseconds delay, std::string reply);
  [[nodiscard]] auth::Channel channel() const;

  /// Opens the maildrop that `login` names and enters TRANSACTION (pop3d/login.cpp).
  Result<void> enter(const auth::Login& login);

  // TRANSACTION state.
  store::Mailbox& mailbox() { return *mailbox_; }
  const store::View& view() { return *view_; }
  [[nodiscard]] bool is_deleted(std::uint32_t number) const;
  /// Message `text`, if it exists and isn't marked; else answers and gives nothing.
  std::optional<store::RecNo> message(std::string_view text, std::uint32_t* number = nullptr);
  /// Flags what was retrieved as \Seen, by option and right.
  void commit_seen();

 private:
  Result<void> reopen();
  service::Outcome finish();
  service::Outcome park();
  bool step();
  void run_line(std::string_view line);
  void input_failed(const Error& error);

  std::optional<std::string> ended_;
  bool tls_ = false;
  std::chrono::milliseconds delay_{0};
  std::string delayed_;
  std::uint32_t served_ = 0;  // commands of this hand-over
  bool goes_on_ = false;
  std::shared_ptr<store::Mailbox> mailbox_;
  std::optional<store::View> view_;
};

}  // namespace postern::pop3d
