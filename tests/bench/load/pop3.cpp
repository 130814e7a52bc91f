// POP3 (RFC 1939): retrieve and delete a whole mailbox.
#include "tests/bench/load/connection.h"

namespace postern::bench {
namespace {

std::string_view expect_ok(Connection& connection) {
  const std::string_view line = connection.line();
  if (!line.starts_with("+OK")) die(fmt::format("POP3: {}", line));
  return line;
}

}  // namespace

/// --user NAME: RETR and DELE of every message, one command at a time, then QUIT.
void run_pop3(const Options& options) {
  const Stopwatch watch;
  Connection connection{address_of(options)};
  expect_ok(connection);
  for (const auto& command : {"USER " + options.text("user", "user1"), std::string{"PASS pass"}}) {
    connection.send(command + "\r\n");
    expect_ok(connection);
  }
  connection.send("STAT\r\n");
  const int messages = std::atoi(std::string{expect_ok(connection).substr(4)}.c_str());
  for (int i = 1; i <= messages; ++i) {
    connection.send(fmt::format("RETR {}\r\n", i));
    expect_ok(connection);
    connection.until_dot();
    connection.send(fmt::format("DELE {}\r\n", i));
    expect_ok(connection);
  }
  connection.send("QUIT\r\n");
  expect_ok(connection);
  Json{}
      .add("messages", static_cast<std::size_t>(messages))
      .add("messages_per_s", messages / watch.seconds())
      .print();
}

}  // namespace postern::bench
