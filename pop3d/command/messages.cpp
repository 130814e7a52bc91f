// The commands of TRANSACTION state that look at messages: STAT, LIST, UIDL, RETR, TOP, and DELE
// (RFC 1939 §5, §7).
#include <algorithm>
#include <charconv>
#include <span>
#include <vector>

#include "lib/base/text.h"
#include "lib/mime/downgrade.h"
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

/// A message as this client gets it: as it is stored, or edited into its surrogate.
struct Outgoing {
  store::MessageBytes message;
  std::vector<mime::Edit> edits;

  [[nodiscard]] std::vector<std::string_view> pieces(std::uint64_t begin, std::uint64_t end) const {
    return mime::pieces(message.bytes(), {begin, end}, edits);
  }
};

/// RFC 6856 §2.1: without UTF8, no UTF-8 in header fields. Whether there is any octet over 127 in
/// them is in the cache, so that an ordinary message isn't looked at.
Result<Outgoing> outgoing(Pop3& session, store::RecNo record) {
  Outgoing out{TRY(session.mailbox().message(record)), {}};
  if (session.conn.utf8) return out;
  const auto facts = session.mailbox().facts(record);
  if (!facts || facts->has_8bit_header)
    out.edits = mime::downgrade(mime::parse(out.message.bytes()));
  return out;
}

/// `text`, which begins a line, with lines that begin with "." stuffed (RFC 1939 §3).
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
}

/// With CRLF at the end and the line that ends the answer.
void write_message(net::Stream& out, std::span<const std::string_view> pieces) {
  for (const std::string_view piece : pieces) write_stuffed(out, piece);
  if (!pieces.empty() && !pieces.back().ends_with("\r\n")) out.write("\r\n");
  out.write(".\r\n");
}

/// Octets of the header with its blank line.
std::size_t header_size(std::string_view message) {
  if (message.starts_with("\r\n")) return 2;
  const auto blank = message.find("\r\n\r\n");
  return blank == std::string_view::npos ? message.size() : blank + 4;
}

/// The first `lines` lines of `text`; `lines` is lowered by those that are there.
std::string_view first_lines(std::string_view text, std::uint32_t& lines) {
  std::size_t at = 0;
  for (; lines > 0 && at < text.size(); --lines) {
    const auto end = text.find('\n', at);
    if (end == std::string_view::npos) return text;
    at = end + 1;
  }
  return text.substr(0, at);
}

/// Header, blank line and the first `lines` lines of the body, those of the surrogate if it is one
/// (RFC 6858 §4).
std::vector<std::string_view> top_of(const Outgoing& message, std::uint32_t lines) {
  const std::size_t size = message.message.bytes().size();
  const std::size_t header = header_size(message.message.bytes());
  std::vector<std::string_view> top = message.pieces(0, header);
  for (const std::string_view piece : message.pieces(header, size)) {
    if (lines == 0) break;
    top.push_back(first_lines(piece, lines));
  }
  return top;
}

std::uint64_t octets_of(std::span<const std::string_view> pieces) {
  std::uint64_t sum = 0;
  for (const std::string_view piece : pieces) sum += piece.size();
  return sum;
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
  const auto message = outgoing(session, *record);
  if (!message) return session.err(message.error());
  const auto pieces = message->pieces(0, message->message.bytes().size());
  session.ok(fmt::format("{} octets", octets_of(pieces)));
  write_message(session.stream, pieces);
  mark_retrieved(session, number);
}

void run_top(Pop3& session, Argument argument) {
  const auto space = argument.text.find(' ');
  const auto lines =
      space == std::string_view::npos ? std::nullopt : parse_u32(argument.text.substr(space + 1));
  if (!lines) return session.err("Bad syntax: TOP message lines");
  const auto record = session.message(argument.text.substr(0, space));
  if (!record) return;
  const auto message = outgoing(session, *record);
  if (!message) return session.err(message.error());
  session.ok("Top of message follows");
  write_message(session.stream, top_of(*message, *lines));
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
