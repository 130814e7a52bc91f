// A worker: joins porter, serves one session after another, gives each back or ends it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "lib/base/fd.h"
#include "lib/service/daemon.h"
#include "lib/service/message.h"
#include "lib/service/scoreboard.h"
#include "lib/service/settings.h"

namespace postern::service {

/// What a worker inherits from its fork server.
struct WorkerSetup {
  const config::Config* config = nullptr;
  ChangeBoard* board = nullptr;
  Scoreboard* scoreboard = nullptr;
  PoolSettings settings;
  std::uint32_t pool = 0;
  std::uint32_t generation = 0;
  int door = -1;
  int tls_door = -1;
};

class Worker final : public Runtime {
 public:
  Worker(Daemon& daemon, const WorkerSetup& setup) : daemon_(daemon), setup_(setup) {}

  /// Until porter or a signal retires it. An exit code of sysexits.h.
  int run();

  [[nodiscard]] const config::Config& config() const override { return *setup_.config; }
  [[nodiscard]] ChangeBoard& board() override { return *setup_.board; }
  [[nodiscard]] bool hurry() const override;
  [[nodiscard]] bool makes_room(std::uint32_t commands, std::size_t unread) const override;
  [[nodiscard]] bool stopping() const override;
  [[nodiscard]] bool tls_available() const override;
  [[nodiscard]] net::Patience linger() const override;
  Result<void> logged_in(std::string_view user) override;
  std::chrono::milliseconds login_failed(std::string_view user) override;
  std::chrono::seconds too_early(std::string_view user, std::chrono::seconds interval,
                                 std::uint32_t burst) override;

 private:
  /// Makes a channel and sends porter its other end.
  Result<void> join();
  /// The next message of porter, waiting; joins anew when porter was replaced as a whole.
  /// Empty: this worker ends.
  std::optional<Kind> next_message();
  int serve_all();
  /// Waits for a message of porter; meanwhile does what is due.
  bool await_message();
  void tidy();
  void serve(Wake wake, Fd stream);
  Result<void> send_reply() const;
  std::string answer_for(const Ticket& ticket, Outcome outcome);
  /// STARTTLS: gives the socket to a transportd. What porter is told.
  End hand_over(const Ticket& ticket, bool leaving, const StartTls& start);
  /// COMPRESS: puts a relay between the client and the session. What porter is told.
  Park relay(const Ticket& ticket, bool leaving, Outcome outcome);
  Result<Fd> begin_compression(const Compress& start, const std::string& unread);
  [[nodiscard]] bool should_leave() const;
  [[nodiscard]] bool processors_are_idle() const;

  Daemon& daemon_;
  WorkerSetup setup_;
  Fd channel_;
  std::string message_;  // the one that next_message() took
  Fd passed_;            // its descriptor
  Ticket ticket_;        // the session in hand, or the last one
  std::string address_;  // of its peer
  Facts facts_;          // of the session in hand
  Fd duplicate_;         // of its socket, for STARTTLS and COMPRESS
  Fd replaced_;          // goes with reply_: the session's new socket after COMPRESS
  std::string reply_;    // how the last session was given back; said again if porter asks again
  std::uint64_t served_ = 0;
  std::int64_t tidy_at_ = 0;  // steady ms; 0: all is tidy
  std::uint64_t memory_at_start_ = 0;
};

}  // namespace postern::service
