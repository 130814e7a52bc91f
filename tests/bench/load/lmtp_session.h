// An LMTP client session (RFC 2033) of the load generators.
#pragma once

#include <string_view>

#include "tests/bench/load/connection.h"

namespace postern::bench {

class LmtpSession {
 public:
  /// Connects, reads the greeting, says LHLO.
  explicit LmtpSession(const Address& address);

  /// `commands` is everything from MAIL to DATA for `recipients` recipients, sent in one write
  /// (RFC 2920); `message` follows. Anything but success for every recipient ends the program.
  void deliver(std::string_view commands, int recipients, std::string_view message);
  void quit() { connection_.send("QUIT\r\n"); }

 private:
  void expect_reply(char first_digit);

  Connection connection_;
};

}  // namespace postern::bench
