// Deliveries announced to many sessions in IDLE: how long from the message to the EXISTS.
#include <sys/epoll.h>

#include <atomic>
#include <memory>
#include <thread>

#include "tests/bench/load/imap_session.h"
#include "tests/bench/load/lmtp_session.h"
#include "tests/bench/load/message.h"

namespace postern::bench {
namespace {

constexpr int kPatience = 40000;  // ms; Dovecot beyond inotify's limit looks every 30 s

/// Sessions in IDLE on INBOX; session i belongs to user(i mod users + 1).
class Audience {
 public:
  Audience(const Address& address, int clients, int users)
      : users_(users), sent_(static_cast<std::size_t>(users)), poll_(epoll_create1(0)) {
    for (int i = 0; i < clients; ++i) {
      auto session = std::make_unique<ImapSession>(address, fmt::format("user{}", i % users + 1));
      session->command("SELECT INBOX");
      session->start_idle();
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u32 = static_cast<std::uint32_t>(i);
      epoll_ctl(poll_.get(), EPOLL_CTL_ADD, session->connection().fd(), &event);
      sessions_.push_back(std::move(session));
    }
  }

  /// The next message goes to this user (from 0) now.
  void note_sending(int user) { sent_[static_cast<std::size_t>(user)] = watch_.seconds(); }

  /// Collects milliseconds until each session has read its EXISTS, or none comes any more.
  std::vector<double> collect() {
    std::vector<double> milliseconds;
    epoll_event event{};
    while (milliseconds.size() < sessions_.size() &&
           epoll_wait(poll_.get(), &event, 1, kPatience) == 1) {
      ImapSession& session = *sessions_[event.data.u32];
      while (session.connection().line().find(" EXISTS") == std::string_view::npos) {
      }
      const auto user = event.data.u32 % static_cast<std::uint32_t>(users_);
      milliseconds.push_back((watch_.seconds() - sent_[user].load()) * 1000);
      epoll_ctl(poll_.get(), EPOLL_CTL_DEL, session.connection().fd(), nullptr);
    }
    return milliseconds;
  }

 private:
  int users_;
  std::vector<std::atomic<double>> sent_;  // seconds of watch_
  Fd poll_;
  std::vector<std::unique_ptr<ImapSession>> sessions_;
  Stopwatch watch_;
};

void deliver_to_all(const Address& address, int users, std::size_t offset, Audience& audience) {
  LmtpSession session{address};
  for (int user = 0; user < users; ++user) {
    const std::string commands =
        fmt::format("MAIL FROM:<sender@example.net>\r\nRCPT TO:<user{}>\r\nDATA\r\n", user + 1);
    const std::string message = make_message(offset + static_cast<std::size_t>(user), 4096);
    audience.note_sending(user);
    session.deliver(commands, 1, message);
  }
  session.quit();
}

}  // namespace

/// --clients N --users K --lmtp-port P --offset O: N sessions in IDLE, one delivery to each user,
/// one after the other. Measured from the sending of MAIL to each session's EXISTS.
void run_announce(const Options& options) {
  const Address address = address_of(options);
  const Address lmtp{address.host, options.number("lmtp-port", 0), false};
  const int users = options.number("users", 1);
  Audience audience{address, options.number("clients", 100), users};
  std::thread deliverer{[&] {
    deliver_to_all(lmtp, users, static_cast<std::size_t>(options.number("offset", 0)), audience);
  }};
  const std::vector<double> milliseconds = audience.collect();
  deliverer.join();
  if (milliseconds.empty()) die("no session heard of its mail");
  Json{}
      .add("announced", milliseconds.size())
      .add("p50_ms", percentile(milliseconds, 0.5))
      .add("p99_ms", percentile(milliseconds, 0.99))
      .print();
}

}  // namespace postern::bench
