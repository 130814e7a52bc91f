// Pipelined LMTP transactions as an MTA makes them.
#include "tests/bench/load/lmtp_session.h"

namespace postern::bench {

LmtpSession::LmtpSession(const Address& address) : connection_(address) {
  expect_reply('2');
  connection_.send("LHLO bench.example.net\r\n");
  expect_reply('2');
}

void LmtpSession::expect_reply(char first_digit) {
  std::string_view line = connection_.line();
  while (line.size() > 3 && line[3] == '-') line = connection_.line();
  if (line.empty() || line[0] != first_digit) die(fmt::format("LMTP: {}", line));
}

void LmtpSession::deliver(std::string_view commands, int recipients, std::string_view message) {
  connection_.send(commands);
  for (int r = 0; r <= recipients; ++r) expect_reply('2');
  expect_reply('3');
  connection_.send(fmt::format("{}.\r\n", message));
  for (int r = 0; r < recipients; ++r) expect_reply('2');
}

}  // namespace postern::bench
