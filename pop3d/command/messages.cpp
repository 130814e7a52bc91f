// The commands of TRANSACTION state that look at messages: STAT, LIST, UIDL, RETR, TOP, and DELE
// (RFC 1939 §5, §7).
#include <algorithm>
#include <charconv>

#include "lib/base/text.h"
#include "pop3d/command/table.h"
#include "pop3d/session.h"

namespace postern::pop3d {
namespace {

/// Calls `row(number, record)` for each message that isn't marked.
template <typename Row>
void for_each_message(Pop3& session, Row row) {
  const store::View& view = session.view();
  std::optional<store::RecNo> at = view.next_from(store::RecNo(0));
  for (std::uint32_t number = 1; at && number <= view.exists(); ++number) {
    if (!session.is_deleted(number)) row(number, *at);
    at = view.next_from(at->next());
  }
}

struct Totals {
  std::uint32_t messages = 0;
  std::uint64_t octets = 0;
};

Totals totals(Pop3& session) {
  Totals sum;
  for_each_message(session, [&](std::uint32_t, store::RecNo record) {
    ++sum.messages;
    sum.octets += session.mailbox().size(record);
  });
  return sum;
}

/// "number octets", formatted in place: LIST of 100,000 messages is one pass without allocation.
void write_scan_line(Pop3& session, std::uint32_t number, std::uint64_t octets) {
  char* const begin = session.stream.room(48);
  char* at = std::to_chars(begin, begin + 12, number).ptr;
  *at++ = ' ';
  at = std::to_chars(at, at + 24, octets).ptr;
  *at++ = '\r';
  *at++ = '\n';
  session.stream.wrote(static_cast<std::size_t>(at - begin));
}

void write_unique_id(Pop3& session, std::uint32_t number, Uid uid) {
  session.stream.write(fmt::format("{} {}.{}\r\n", number, session.mailbox().uidvalidity(), uid));
}

/// `text` with lines that begin with "." stuffed (RFC 1939 §3) and CRLF at the end.
void write_stuffed(net::Stream& out, std::string_view text) {
  if (text.starts_with('.')) out.write(".");
  std::size_t from = 0;
  for (std::size_t at = text.find("\n."); at != std::string_view::npos;
       at = text.find("\n.", at + 2)) {
    out.write(text.substr(from, at + 1 - from));
    out.write(".");
    from = at + 1;
  }
  out.write(text.substr(from));
  if (!text.empty() && !text.ends_with("\r\n")) out.write("\r\n");
}

/// Header, blank line and the first `lines` lines of the body.
std::string_view top_of(std::string_view message, std::uint32_t lines) {
  const auto blank = message.starts_with("\r\n") ? 0 : message.find("\r\n\r\n");
  if (blank == std::string_view::npos) return message;
  std::size_t at = message.starts_with("\r\n") ? 2 : blank + 4;
  for (; lines > 0 && at < message.size(); --lines) {
    const auto end = message.find('\n', at);
    if (end == std::string_view::npos) return message;
    at = end + 1;
  }
  return message.substr(0, at);
}

void mark_retrieved(Pop3& session, std::uint32_t number) {
  if (!session.runtime.config().boolean("pop3.mark_seen")) return;
  if (!session.conn.maildrop.rights.has(meta::Right::seen)) return;
  auto& list = session.conn.maildrop.retrieved;
  const auto at = std::ranges::lower_bound(list, number);
  if (at == list.end() || *at != number) list.insert(at, number);
}

}  // namespace

void run_stat(Pop3& session, Argument) {
  const Totals sum = totals(session);
  session.ok(fmt::format("{} {}", sum.messages, sum.octets));
}

void run_list(Pop3& session, Argument argument) {
  if (argument.given) {
    std::uint32_t number = 0;
    if (const auto record = session.message(argument.text, &number))
      session.ok(fmt::format("{} {}", number, session.mailbox().size(*record)));
    return;
  }
  session.ok("Scan listing follows");
  for_each_message(session, [&](std::uint32_t number, store::RecNo record) {
    write_scan_line(session, number, session.mailbox().size(record));
  });
  session.stream.write(".\r\n");
}

void run_uidl(Pop3& session, Argument argument) {
  if (argument.given) {
    std::uint32_t number = 0;
    if (const auto record = session.message(argument.text, &number))
      session.ok(fmt::format("{} {}.{}", number, session.mailbox().uidvalidity(),
                             session.mailbox().uid(*record)));
    return;
  }
  session.ok("Unique-id listing follows");
  for_each_message(session, [&](std::uint32_t number, store::RecNo record) {
    write_unique_id(session, number, session.mailbox().uid(record));
  });
  session.stream.write(".\r\n");
}

void run_retr(Pop3& session, Argument argument) {
  std::uint32_t number = 0;
  const auto record = session.message(argument.text, &number);
  if (!record) return;
  const auto message = session.mailbox().message(*record);
  if (!message) return session.err(message.error());
  session.ok(fmt::format("{} octets", message->bytes().size()));
  write_stuffed(session.stream, message->bytes());
  session.stream.write(".\r\n");
  mark_retrieved(session, number);
}

void run_top(Pop3& session, Argument argument) {
  const auto space = argument.text.find(' ');
  const auto lines =
      space == std::string_view::npos ? std::nullopt : parse_u32(argument.text.substr(space + 1));
  if (!lines) return session.err("Bad syntax: TOP message lines");
  const auto record = session.message(argument.text.substr(0, space));
  if (!record) return;
  const auto message = session.mailbox().message(*record);
  if (!message) return session.err(message.error());
  session.ok("Top of message follows");
  write_stuffed(session.stream, top_of(message->bytes(), *lines));
  session.stream.write(".\r\n");
}

void run_dele(Pop3& session, Argument argument) {
  const meta::Rights rights = session.conn.maildrop.rights;
  if (!rights.has(meta::Right::delete_message) || !rights.has(meta::Right::expunge))
    return session.err(fail(Errc::no_permission, "no rights t and e"));
  std::uint32_t number = 0;
  if (!session.message(argument.text, &number)) return;
  auto& deleted = session.conn.maildrop.deleted;
  deleted.insert(std::ranges::lower_bound(deleted, number), number);
  session.ok("Marked for deletion");
}

}  // namespace postern::pop3d
