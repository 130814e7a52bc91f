// An IMAP client session of the load generators: sends one command, waits for its tagged OK.
#pragma once

#include <string>
#include <string_view>

#include "tests/bench/load/connection.h"

namespace postern::bench {

class ImapSession {
 public:
  /// Connects, reads the greeting and logs in as `user` with the password "pass".
  ImapSession(const Address& address, std::string_view user, TlsResumption* tls = nullptr);

  /// Sends `command` (without tag and CRLF) and returns the whole answer, tagged line included;
  /// valid until the next call. Anything but OK ends the program.
  std::string_view command(std::string_view command);
  /// The same, but NO is as good as OK (DELETE of what may not exist).
  void try_command(std::string_view command);

  /// Starts IDLE and returns when the server has sent its continuation.
  void start_idle();
  /// Ends IDLE and reads up to its tagged OK.
  void end_idle();
  Connection& connection() { return connection_; }

 private:
  std::string_view exchange(std::string_view command);

  Connection connection_;
  std::string tag_;
  int number_ = 0;
};

/// How often `what` occurs in `text`.
std::size_t count_of(std::string_view what, std::string_view text);

/// Appends with one APPEND and a non-synchronising literal (RFC 7888).
void append(ImapSession& session, std::string_view mailbox, std::string_view message);

}  // namespace postern::bench
