// Short sessions, as phones and web mail make them: connect, LOGIN, SELECT, LOGOUT.
#include <atomic>

#include "tests/bench/load/imap_session.h"

namespace postern::bench {

/// --clients C --seconds S --users K --mailbox NAME --tls 0|1 --resume 0|1: client i is
/// user(i mod K + 1).
void run_sessions(const Options& options) {
  const Address address = address_of(options);
  const double limit = options.number("seconds", 5);
  const bool resume = options.number("resume", 0) == 1;
  const std::string select = fmt::format("SELECT {}", options.text("mailbox", "INBOX"));
  std::atomic<std::size_t> sessions = 0;
  std::atomic<std::size_t> resumed = 0;
  const Stopwatch watch;
  in_parallel(options.number("clients", 16), [&](int number) {
    TlsResumption tls;
    const std::string user = fmt::format("user{}", number % options.number("users", 1) + 1);
    while (watch.seconds() < limit) {
      if (!resume) tls.forget();
      ImapSession session{address, user, &tls};
      session.command(select);
      session.command("LOGOUT");
      ++sessions;
      if (session.connection().resumed()) ++resumed;
    }
  });
  Json{}
      .add("sessions_per_s", static_cast<double>(sessions.load()) / watch.seconds())
      .add("resumed", resumed.load())
      .print();
}

}  // namespace postern::bench
