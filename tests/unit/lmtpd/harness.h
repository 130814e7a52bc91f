// An LMTP session over a socketpair, with the real authentication and metadata and a store in
// memory. The session is parked and resumed between any two talks.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <filesystem>
#include <memory>
#include <string>

#include "lib/auth/passwords.h"
#include "lib/base/random.h"
#include "lib/meta/embedded.h"
#include "lib/net/fd_passing.h"
#include "lib/store/provision.h"
#include "lmtpd/session.h"
#include "tests/unit/lmtpd/fake_store.h"

namespace postern::lmtp {

class TestRuntime : public service::Runtime {
 public:
  explicit TestRuntime(const config::Config& config) : config_(config) {}
  [[nodiscard]] const config::Config& config() const override { return config_; }
  [[nodiscard]] ChangeBoard& board() override { return board_; }
  [[nodiscard]] bool hurry() const override { return true; }
  [[nodiscard]] bool stopping() const override { return stopping_; }
  Result<void> logged_in(std::string_view) override { return {}; }
  std::chrono::milliseconds login_failed(std::string_view) override {
    return std::chrono::milliseconds(1500);
  }
  bool stopping_ = false;

 private:
  const config::Config& config_;
  ChangeBoard board_ = ChangeBoard::private_board();
};

/// Keeps what it is given, unless it was told to fail.
class FakeSubmitter : public site::Submitter {
 public:
  Result<void> submit(const site::Submission& mail) override {
    if (failing) return fail(*failing, "made to fail");
    sent.push_back(mail);
    return {};
  }
  [[nodiscard]] bool configured() const override { return is_configured; }
  std::vector<site::Submission> sent;
  std::optional<Errc> failing;
  bool is_configured = true;
};

class LmtpTest : public testing::Test {
 protected:
  LmtpTest() : folder_(memory_folder() + "lmtpd-" + random_hex(8)) {
    std::filesystem::create_directory(folder_);
    set("auth.sasldb=" + folder_ + "/sasldb2");
    set("auth.default_domain=example.org");
    set("server.hostname=mail.example.org");
    set("log.trace_directory=");
    set("partition.default.path=" + folder_);
    meta_ = meta::EmbeddedMeta::open(folder_ + "/meta", "unit test").value();
  }
  ~LmtpTest() override {
    meta_.reset();
    std::filesystem::remove_all(folder_);
  }

  /// Where an fsync costs nothing, if there is such a place.
  static std::string memory_folder() {
    return std::filesystem::is_directory("/dev/shm") ? "/dev/shm/" : testing::TempDir();
  }
  void set(const std::string& assignment) { ASSERT_TRUE(config_.set(assignment)) << assignment; }
  static meta::UserName user(std::string_view name) {
    return meta::UserName::from_utf8(name).value();
  }
  static meta::MailboxName mailbox(std::string_view name) {
    return meta::MailboxName::from_utf8(name).value();
  }

  /// Reads the configuration, begins a connection. The greeting is porter's.
  void open() {
    runtime_ = std::make_unique<TestRuntime>(config_);
    programs_ = site::Programs::from(config_);
    options_ = Options::from(config_);
    auth_ = auth::Authenticator::create(config_).value();
    site_ = site::Settings::from(config_).value();
    scripts_ = std::make_unique<site::SieveScripts>(config_);
    lists_ = std::make_unique<site::SieveLists>(config_, site_);
    if (!store_) store_ = store::Store::open(config_, *meta_, runtime_->board()).value();
    connect();
  }
  void connect() {
    net::Pair pair = net::make_stream_pair().value();
    peer_ = std::move(pair.a);
    socket_ = std::move(pair.b);
    record_.clear();
    unread_.clear();
  }
  /// A user with INBOX and the usual mailboxes.
  meta::MailboxEntry add_user(std::string_view name) {
    if (!store_) open();
    return store::provision_user(*store_, *meta_, user(name)).value();
  }
  meta::MailboxEntry add_mailbox(std::string_view name, std::string_view acl_of_anyone = "") {
    meta::Acl acl = meta::Acl::standard_for(mailbox(name));
    acl.set("anyone", meta::Rights::from_text(acl_of_anyone).value());
    return store_->create(mailbox(name), acl).value();
  }

  /// Wakes the session until it is quiet or has ended; gives what it said.
  std::string serve() {
    const Backend backend{*store_, *meta_,    *auth_,  options_,   quota_,
                          site_,   *scripts_, *lists_, submitter_, programs_};
    service::Session wake;
    wake.facts = facts_;
    wake.stream = Fd(::dup(socket_.get()));
    wake.state = std::exchange(record_, {});
    wake.unread = std::exchange(unread_, {});
    outcome_ = Session(std::move(wake), *runtime_, backend).serve();
    if (outcome_.kind == service::Outcome::Kind::parked) {
      record_ = outcome_.parked.state;
      unread_ = outcome_.parked.unread;
    }
    return heard();
  }
  std::string heard() {
    std::string out;
    char buffer[65536];
    for (ssize_t n; (n = ::recv(peer_.get(), buffer, sizeof buffer, MSG_DONTWAIT)) > 0;)
      out.append(buffer, static_cast<std::size_t>(n));
    return out;
  }
  std::string talk(std::string_view script) {
    if (!socket_) open();
    EXPECT_TRUE(write_all(peer_.get(), script));
    return serve();
  }
  /// The same with nothing behind: the session sees the end of its input.
  std::string last_words(std::string_view script) {
    if (!socket_) open();
    EXPECT_TRUE(write_all(peer_.get(), script));
    ::shutdown(peer_.get(), SHUT_WR);
    return serve();
  }
  [[nodiscard]] bool parked() const { return outcome_.kind == service::Outcome::Kind::parked; }
  std::vector<store::fake::Message>& messages(const meta::MailboxEntry& entry) {
    return store::fake::state().mailboxes[entry.id];
  }
  std::vector<store::fake::Message>& messages(std::string_view name) {
    return messages(meta_->lookup(mailbox(name)).value());
  }

  std::string folder_;
  config::Config config_ = config::Config::parse("").value();
  Options options_;
  QuotaGlance quota_;
  site::Settings site_;
  std::unique_ptr<site::SieveScripts> scripts_;
  std::unique_ptr<site::SieveLists> lists_;
  FakeSubmitter submitter_;
  site::Programs programs_;
  std::unique_ptr<meta::EmbeddedMeta> meta_;
  std::unique_ptr<TestRuntime> runtime_;
  std::unique_ptr<auth::Authenticator> auth_;
  std::unique_ptr<store::Store> store_;
  Fd peer_;
  Fd socket_;
  service::Facts facts_ = [] {
    service::Facts facts;
    facts.session_id = 0x2a;
    facts.service = "lmtp";
    facts.peer_address = "192.0.2.7";
    return facts;
  }();
  std::string record_;
  std::string unread_;
  service::Outcome outcome_;
};

}  // namespace postern::lmtp
