// IDLE (RFC 2177): how soon a session sees another's change.
#include <thread>

#include "tests/bench/load/imap_session.h"

namespace postern::bench {
namespace {

/// Times of the lines that announce a change to an idling session, one slot a change.
class Watcher {
 public:
  Watcher(const Address& address, std::string_view user, std::string_view mailbox)
      : session_(address, user) {
    session_.command(fmt::format("SELECT {}", mailbox));
    session_.start_idle();
  }
  /// Blocks until the next untagged FETCH.
  void wait() {
    while (session_.connection().line().find(" FETCH (") == std::string_view::npos) {
    }
  }

 private:
  ImapSession session_;
};

}  // namespace

/// --mailbox NAME --changes N: one session stores a flag on message 1, another idles. Measured from
/// the sending of STORE to the untagged FETCH at the other session.
void run_idle(const Options& options) {
  const Address address = address_of(options);
  const std::string user = options.text("user", "user1");
  const std::string mailbox = options.text("mailbox", "source");
  ImapSession writer{address, user};
  writer.command(fmt::format("SELECT {}", mailbox));
  writer.command("STORE 1 -FLAGS.SILENT (\\Flagged)");
  Watcher watcher{address, user, mailbox};
  std::vector<double> milliseconds;
  for (int i = 0; i < options.number("changes", 200); ++i) {
    // The pause lets an idling session settle, as between two real changes; its length varies so
    // that a server that polls is met at every phase of its interval.
    std::this_thread::sleep_for(std::chrono::milliseconds(5 + i * 7 % 40));
    const Stopwatch watch;
    std::thread store{
        [&] { writer.command(fmt::format("STORE 1 {}FLAGS (\\Flagged)", "+-"[i % 2])); }};
    watcher.wait();
    milliseconds.push_back(watch.seconds() * 1000);
    store.join();
  }
  Json{}
      .add("p50_ms", percentile(milliseconds, 0.5))
      .add("p99_ms", percentile(milliseconds, 0.99))
      .print();
}

}  // namespace postern::bench
