// An IMAP server inside the test: a real store and embedded metadata in a temporary folder, and
// clients over socketpairs. Every session is parked after every command and goes on from its
// record, so all tests are tests of parking too.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "imapd/event_scripts.h"
#include "imapd/options.h"
#include "imapd/session.h"
#include "lib/auth/auth.h"
#include "lib/config/config.h"
#include "lib/meta/embedded.h"
#include "lib/store/store.h"

namespace postern::imap {

class FakeRuntime : public service::Runtime {
 public:
  FakeRuntime(const config::Config& config, ChangeBoard& board) : config_(config), board_(board) {}
  [[nodiscard]] const config::Config& config() const override { return config_; }
  [[nodiscard]] ChangeBoard& board() override { return board_; }
  [[nodiscard]] bool hurry() const override { return true; }
  [[nodiscard]] bool stopping() const override { return false; }
  Result<void> logged_in(std::string_view) override { return {}; }
  std::chrono::milliseconds login_failed(std::string_view) override {
    return std::chrono::milliseconds(7);
  }
  [[nodiscard]] net::Patience linger() const override { return {}; }

 private:
  const config::Config& config_;
  ChangeBoard& board_;
};

class LiveServer {
 public:
  LiveServer();
  ~LiveServer();
  LiveServer(const LiveServer&) = delete;
  LiveServer& operator=(const LiveServer&) = delete;

  std::string directory;
  config::Config config;
  ChangeBoard board = ChangeBoard::private_board();
  std::unique_ptr<meta::EmbeddedMeta> meta;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<auth::Authenticator> auth;
  Options options;
  std::unique_ptr<EventScripts> events;
  std::unique_ptr<FakeRuntime> runtime;

  /// Takes over what the test has changed in `config`.
  void configure();
};

/// One client's connection.
class Client {
 public:
  explicit Client(LiveServer& server);
  /// Logged in as `user`.
  Client(LiveServer& server, std::string_view user);

  /// Sends octets as they are and lets the server work until it parks or ends; its answer.
  std::string send(std::string_view octets);
  /// Sends `command` with a tag and CRLF; the answer, its tag shown as "TAG".
  std::string run(std::string_view command);
  /// Wakes the session because its mailbox changed; what it says.
  std::string wake();
  /// Whether the session would be woken: the board has another value than it parked with.
  [[nodiscard]] bool has_news() const;
  [[nodiscard]] bool ended() const { return outcome_.kind == service::Outcome::Kind::ended; }
  [[nodiscard]] const service::Outcome& outcome() const { return outcome_; }

 private:
  std::string serve(bool changed);
  LiveServer& server_;
  Fd peer_;
  Fd served_;
  service::Outcome outcome_;
  int tags_ = 0;
};

/// A message of `number`, always the same octets.
std::string message(int number);
/// An APPEND of it to `mailbox` with a literal that isn't waited for.
std::string append(std::string_view mailbox, int number, std::string_view flags = "");

}  // namespace postern::imap
