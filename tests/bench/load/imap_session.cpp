// Tagged exchanges over a Connection (RFC 9051 §2.2).
#include "tests/bench/load/imap_session.h"

namespace postern::bench {

ImapSession::ImapSession(const Address& address, std::string_view user, TlsResumption* tls)
    : connection_(address, tls) {
  if (!connection_.line().starts_with("* OK")) die("no IMAP greeting");
  command(fmt::format("LOGIN {} pass", user));
  if (!address.compress) return;
  command("COMPRESS DEFLATE");
  connection_.compress();
}

std::string_view ImapSession::exchange(std::string_view command) {
  tag_ = fmt::format("zq{}x ", ++number_);
  connection_.send(fmt::format("{}{}\r\n", tag_, command));
  return connection_.until_last_line(tag_);
}

std::string_view ImapSession::command(std::string_view command) {
  const std::string_view answer = exchange(command);
  if (answer.rfind(tag_ + "OK") == std::string_view::npos)
    die(fmt::format("{}: {}", command.substr(0, 80), answer.substr(answer.rfind(tag_))));
  return answer;
}

void ImapSession::try_command(std::string_view command) { exchange(command); }

void ImapSession::start_idle() {
  tag_ = fmt::format("zq{}x ", ++number_);
  connection_.send(tag_ + "IDLE\r\n");
  while (!connection_.line().starts_with("+")) {
  }
}

void ImapSession::end_idle() {
  connection_.send("DONE\r\n");
  connection_.until_last_line(tag_);
}

std::size_t count_of(std::string_view what, std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos;
       at = text.find(what, at + what.size()))
    ++count;
  return count;
}

void append(ImapSession& session, std::string_view mailbox, std::string_view message) {
  session.command(fmt::format("APPEND {} {{{}+}}\r\n{}", mailbox, message.size(), message));
}

}  // namespace postern::bench
