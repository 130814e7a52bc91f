// LMTP delivery (RFC 2033) over several connections at once.
// --connections C --messages N (all connections together) --size OCTETS --recipients R --users K
// With one recipient, connection i delivers to user(i mod K + F), F from --first; with more, all
// deliver to user1..userR.
#include <atomic>

#include "tests/bench/load/lmtp_session.h"
#include "tests/bench/load/message.h"

namespace postern::bench {
namespace {

struct Plan {
  Address address;
  std::size_t messages;
  std::size_t size;
  int recipients;
  int users;
  int first;
};

/// MAIL, RCPT and DATA in one write (RFC 2920), as Postfix sends them.
std::string envelope(const Plan& plan, int connection) {
  std::string text = "MAIL FROM:<sender@example.net>\r\n";
  for (int r = 0; r < plan.recipients; ++r) {
    const int user = plan.recipients == 1 ? connection % plan.users : r;
    text += fmt::format("RCPT TO:<user{}>\r\n", user + plan.first);
  }
  return text + "DATA\r\n";
}

std::vector<std::string> make_messages(const Plan& plan, std::size_t offset) {
  std::vector<std::string> messages;
  messages.reserve(plan.messages);
  for (std::size_t i = 0; i < plan.messages; ++i)
    messages.push_back(make_message(offset + i, plan.size));
  return messages;
}

}  // namespace

void run_lmtp(const Options& options) {
  const Plan plan{address_of(options),
                  static_cast<std::size_t>(options.number("messages", 1000)),
                  static_cast<std::size_t>(options.number("size", 8192)),
                  options.number("recipients", 1),
                  options.number("users", 1),
                  options.number("first", 1)};
  // The offset keeps Message-IDs of different rounds apart: duplicates would be suppressed.
  const auto messages = make_messages(plan, static_cast<std::size_t>(options.number("offset", 0)));
  std::atomic<std::size_t> next = 0;
  const Stopwatch watch;
  in_parallel(options.number("connections", 1), [&](int number) {
    LmtpSession session{plan.address};
    const std::string commands = envelope(plan, number);
    for (std::size_t i = next++; i < messages.size(); i = next++)
      session.deliver(commands, plan.recipients, messages[i]);
    session.quit();
  });
  const double seconds = watch.seconds();
  const double deliveries = static_cast<double>(plan.messages) * plan.recipients;
  Json{}
      .add("messages", plan.messages)
      .add("seconds", seconds)
      .add("messages_per_s", static_cast<double>(plan.messages) / seconds)
      .add("deliveries_per_s", deliveries / seconds)
      .print();
}

}  // namespace postern::bench
