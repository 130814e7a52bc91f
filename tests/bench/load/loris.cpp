// Slow peers before login, and what normal clients feel of them.
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <memory>
#include <thread>

#include "tests/bench/load/imap_session.h"

namespace postern::bench {
namespace {

constexpr std::string_view kNeverEnding = "a1 NOOP and a line that never comes to its end, ";

/// Connections that send an octet a second each, spread over the second.
class Slow {
 public:
  Slow(const Address& address, int count) {
    for (int i = 0; i < count; ++i) {
      tls_.forget();
      connections_.push_back(std::make_unique<Connection>(address, &tls_));
      if (!connections_.back()->line().starts_with("* OK")) die("no IMAP greeting");
    }
  }

  void trickle(const std::atomic<bool>& stop) {
    const Stopwatch watch;
    for (std::size_t sent = 0; !stop; ++sent) {
      const double due = static_cast<double>(sent) / static_cast<double>(connections_.size());
      if (const double early = due - watch.seconds(); early > 0)
        std::this_thread::sleep_for(std::chrono::duration<double>(early));
      const std::size_t round = sent / connections_.size();
      connections_[sent % connections_.size()]->send(
          kNeverEnding.substr(round % kNeverEnding.size(), 1));
    }
  }

  /// How many the server has closed.
  std::size_t closed() {
    std::size_t count = 0;
    for (const auto& connection : connections_) {
      pollfd item{connection->fd(), POLLIN, 0};
      if (::poll(&item, 1, 0) > 0) ++count;
    }
    return count;
  }

 private:
  TlsResumption tls_;
  std::vector<std::unique_ptr<Connection>> connections_;
};

}  // namespace

/// --slow N --seconds S --tls 0|1 --users K: N connections send an octet a second and never a whole
/// line, while every 10 ms a client connects, logs in and leaves. Its time from connect to the OK.
void run_loris(const Options& options) {
  const Address address = address_of(options);
  const double limit = options.number("seconds", 20);
  Slow slow{address, options.number("slow", 1000)};
  std::atomic<bool> stop = false;
  std::thread trickle{[&] { slow.trickle(stop); }};
  std::vector<double> milliseconds;
  TlsResumption tls;
  const Stopwatch all;
  while (all.seconds() < limit) {
    tls.forget();
    const Stopwatch watch;
    const int user = static_cast<int>(milliseconds.size()) % options.number("users", 1) + 1;
    ImapSession session{address, fmt::format("user{}", user), &tls};
    milliseconds.push_back(watch.seconds() * 1000);
    session.command("LOGOUT");
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  stop = true;
  trickle.join();
  Json{}
      .add("logins", milliseconds.size())
      .add("p50_ms", percentile(milliseconds, 0.5))
      .add("p99_ms", percentile(milliseconds, 0.99))
      .add("closed", slow.closed())
      .print();
}

}  // namespace postern::bench
