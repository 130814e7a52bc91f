// A crowd of sessions in IDLE (RFC 2177), and how soon each of them hears of new mail.
#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <memory>
#include <thread>

#include "tests/bench/load/imap_session.h"
#include "tests/bench/load/lmtp_session.h"
#include "tests/bench/load/message.h"

namespace postern::bench {
namespace {

constexpr int kPatience = 40000;  // ms; Dovecot beyond inotify's limit looks every 30 s
constexpr int kConnectors = 8;

/// Sessions in IDLE on INBOX; session i belongs to user(i mod users + 1).
class Crowd {
 public:
  Crowd(const Address& address, int clients, int users)
      : users_(users),
        sessions_(static_cast<std::size_t>(clients)),
        sent_(static_cast<std::size_t>(users)),
        poll_(epoll_create1(0)) {
    in_parallel(kConnectors, [&](int first) {
      for (int i = first; i < clients; i += kConnectors) open(address, i);
    });
  }

  [[nodiscard]] std::size_t size() const { return sessions_.size(); }

  /// One message to each of the users 1 to `users`, one after the other; milliseconds from the
  /// sending of MAIL to the EXISTS at each of their sessions. Shorter when some never hear of it.
  std::vector<double> announce(const Address& lmtp, int users, std::size_t offset) {
    std::thread deliverer{[&] { deliver(lmtp, users, offset); }};
    std::size_t expected = 0;
    for (std::size_t i = 0; i < sessions_.size(); ++i) expected += user_of(i) < users ? 1 : 0;
    std::vector<double> milliseconds;
    epoll_event event{};
    while (milliseconds.size() < expected && epoll_wait(poll_.get(), &event, 1, kPatience) == 1) {
      const std::size_t index = event.data.u32;
      if (hears(index))
        milliseconds.push_back(
            (watch_.seconds() - sent_[static_cast<std::size_t>(user_of(index))]) * 1000);
    }
    deliverer.join();
    return milliseconds;
  }

 private:
  [[nodiscard]] int user_of(std::size_t session) const {
    return static_cast<int>(session) % users_;
  }

  void open(const Address& address, int index) {
    TlsResumption& tls = tls_[static_cast<std::size_t>(index % kConnectors)];
    tls.forget();
    const std::string user = fmt::format("user{}", index % users_ + 1);
    auto session = std::make_unique<ImapSession>(address, user, &tls);
    session->command("SELECT INBOX");
    session->start_idle();
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = static_cast<std::uint32_t>(index);
    epoll_ctl(poll_.get(), EPOLL_CTL_ADD, session->connection().fd(), &event);
    sessions_[static_cast<std::size_t>(index)] = std::move(session);
  }

  /// Reads all lines that have come; whether an EXISTS is among them.
  bool hears(std::size_t index) {
    Connection& connection = sessions_[index]->connection();
    bool exists = false;
    do {
      exists |= connection.line().find(" EXISTS") != std::string_view::npos;
    } while (connection.has_line());
    return exists;
  }

  void deliver(const Address& lmtp, int users, std::size_t offset) {
    LmtpSession session{lmtp};
    for (int user = 0; user < users; ++user) {
      const std::string commands =
          fmt::format("MAIL FROM:<sender@example.net>\r\nRCPT TO:<user{}>\r\nDATA\r\n", user + 1);
      const std::string message = make_message(offset + static_cast<std::size_t>(user), 4096);
      sent_[static_cast<std::size_t>(user)] = watch_.seconds();
      session.deliver(commands, 1, message);
    }
    session.quit();
  }

  int users_;
  std::array<TlsResumption, kConnectors> tls_;  // outlives the sessions
  std::vector<std::unique_ptr<ImapSession>> sessions_;
  std::vector<std::atomic<double>> sent_;  // seconds of watch_
  Fd poll_;
  Stopwatch watch_;
};

}  // namespace

/// --clients N --users K --tls 0|1 --compress 0|1 --lmtp-port P: N sessions in IDLE. Prints a line
/// when all are there and holds them until its standard input ends. A line "announce COUNT OFFSET"
/// there makes it deliver one message to each of the first COUNT users and print how soon they
/// heard of it.
void run_crowd(const Options& options) {
  const Address lmtp{options.text("host", "127.0.0.1"), options.number("lmtp-port", 0), false};
  const Stopwatch watch;
  Crowd crowd{address_of(options), options.number("clients", 1000), options.number("users", 1)};
  Json{}.add("clients", crowd.size()).add("seconds", watch.seconds()).print();
  int users = 0;
  int offset = 0;
  while (std::scanf(" announce %d %d", &users, &offset) == 2) {
    const auto milliseconds = crowd.announce(lmtp, users, static_cast<std::size_t>(offset));
    if (milliseconds.empty()) die("no session heard of its mail");
    Json{}
        .add("announced", milliseconds.size())
        .add("p50_ms", percentile(milliseconds, 0.5))
        .add("p99_ms", percentile(milliseconds, 0.99))
        .add("max_ms", percentile(milliseconds, 1))
        .print();
  }
}

}  // namespace postern::bench
