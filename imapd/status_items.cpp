// STATUS items: see status_items.h.
#include "imapd/status_items.h"

#include <array>

#include "imapd/grammar.h"

namespace postern::imap {
namespace {

struct Row {
  std::string_view name;
  StatusItem item;
};
constexpr std::array kRows{
    Row{"MESSAGES", StatusItem::messages},
    Row{"RECENT", StatusItem::recent},
    Row{"UIDNEXT", StatusItem::uidnext},
    Row{"UIDVALIDITY", StatusItem::uidvalidity},
    Row{"UNSEEN", StatusItem::unseen},
    Row{"HIGHESTMODSEQ", StatusItem::highestmodseq},
    Row{"SIZE", StatusItem::size},                        // RFC 8438
    Row{"DELETED", StatusItem::deleted},                  // RFC 9051 §6.3.11
    Row{"DELETED-STORAGE", StatusItem::deleted_storage},  // RFC 9208 §4.1.4
    Row{"APPENDLIMIT", StatusItem::appendlimit},          // RFC 7889 §4
    Row{"MAILBOXID", StatusItem::mailboxid},              // RFC 8474 §4.3
};

Result<StatusItem> parse_item(Cursor& in) {
  for (const Row& row : kRows)
    if (in.take_word(row.name)) return row.item;
  return in.expected("a STATUS item");
}

std::string_view name_of(StatusItem item) {
  for (const Row& row : kRows)
    if (row.item == item) return row.name;
  return "";
}

// Messages that no session was told of as \Recent: nearly always none, so the index is rarely read.
Result<std::uint32_t> recent_of(Context& ctx, const meta::MailboxEntry& entry,
                                const store::MailboxStatus& status) {
  if (status.recent_uid.next() >= status.uidnext) return 0U;
  const auto mailbox = TRY(ctx.back.store.open_mailbox(entry));
  const store::View view = mailbox->snapshot();
  const auto from = mailbox->lower_bound(status.recent_uid.next());
  const auto first = from ? view.next_from(*from) : std::nullopt;
  if (!first) return 0U;
  return view.exists() - view.seqnum_of(*first)->value() + 1;
}

std::string value_of(Context& ctx, StatusItem item, const meta::MailboxEntry& entry,
                     const store::MailboxStatus& status, std::uint32_t recent) {
  switch (item) {
    case StatusItem::messages:
      return std::to_string(status.exists);
    case StatusItem::recent:
      return std::to_string(recent);
    case StatusItem::uidnext:
      return std::to_string(status.uidnext.value());
    case StatusItem::uidvalidity:
      return std::to_string(status.uidvalidity.value());
    case StatusItem::unseen:
      return std::to_string(status.unseen);
    case StatusItem::highestmodseq:
      return std::to_string(status.highestmodseq.value());
    case StatusItem::size:
      return std::to_string(status.bytes);
    case StatusItem::deleted:
      return std::to_string(status.deleted);
    case StatusItem::deleted_storage:
      return std::to_string(status.deleted_bytes);
    case StatusItem::appendlimit:
      return std::to_string(ctx.back.options.append_limit);
    case StatusItem::mailboxid:
      return "(" + entry.id.hex() + ")";
  }
  return "0";
}

}  // namespace

Result<std::vector<StatusItem>> parse_status_items(Cursor& in) {
  return parenthesized(in, parse_item);
}

Result<void> tell_status(Context& ctx, const meta::MailboxEntry& entry,
                         const std::vector<StatusItem>& items) {
  const store::MailboxStatus status = TRY(ctx.back.store.status(entry));
  std::uint32_t recent = 0;
  std::string values;
  for (const StatusItem item : items) {
    if (item == StatusItem::recent) recent = TRY(recent_of(ctx, entry, status));
    if (item == StatusItem::highestmodseq) ctx.conn.enabled |= enabled::condstore;
    if (!values.empty()) values += ' ';
    values += name_of(item);
    values += ' ';
    values += value_of(ctx, item, entry, status, recent);
  }
  ctx.out.untagged("STATUS ", ctx.wire_name(entry.name), " (", values, ")");
  return {};
}

}  // namespace postern::imap
