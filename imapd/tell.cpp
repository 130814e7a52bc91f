// Telling changes: see tell.h.
#include "imapd/tell.h"

#include "imapd/flag_text.h"
#include "imapd/line_writer.h"
#include "imapd/number_set.h"
#include "lib/base/clock.h"

namespace postern::imap {
namespace {

void tell_expunged(Context& ctx, const store::Changes& changes) {
  if (changes.vanished.empty()) return;
  if (ctx.conn.has(enabled::qresync)) {  // RFC 7162 §3.2.10
    ctx.out.untagged("VANISHED ", format_uid_set(changes.vanished));
    return;
  }
  LineWriter out(ctx.out.stream());
  for (const SeqNum seqnum : changes.expunged) {
    out.text("* ");
    out.number(seqnum.value());
    out.text(" EXPUNGE\r\n");
  }
}

// Flag changes that the client doesn't know yet. What the running command has told itself carries
// the modseq of that command's commit.
void tell_flags(Context& ctx, const Selected& selected, const store::Changes& changes) {
  const store::Mailbox& mailbox = *selected.mailbox;
  const FlagWriter flags(mailbox, ctx.conn.selected->recent);
  const bool condstore = ctx.conn.has(enabled::condstore);
  LineWriter out(ctx.out.stream());
  for (const store::RecNo record : changes.changed) {
    const ModSeq modseq = mailbox.modseq(record);
    const auto seqnum = selected.view.seqnum_of(record);
    if (modseq == selected.own_change || !seqnum) continue;
    const Uid uid = mailbox.uid(record);
    out.text("* ");
    out.number(seqnum->value());
    out.text(" FETCH (UID ");
    out.number(uid.value());
    out.text(" FLAGS ");
    flags.write(out, record, uid);
    if (condstore) {
      out.text(" MODSEQ (");
      out.number(modseq.value());
      out.octet(')');
    }
    out.text(")\r\n");
  }
}

std::uint32_t shown_before(const Selected& selected, Uid uid) {
  const auto record = selected.mailbox->lower_bound(uid);
  const auto shown = record ? selected.view.next_from(*record) : std::nullopt;
  if (!shown) return selected.view.exists();
  return selected.view.seqnum_of(*shown)->value() - 1;
}

}  // namespace

Result<void> tell_changes(Context& ctx, bool tell_expunges) {
  Selected& selected = *ctx.selected;
  store::Mailbox& mailbox = *selected.mailbox;
  SelectedMailbox& told = *ctx.conn.selected;
  if (!mailbox.is_stale(selected.view)) return {};
  const auto changes = TRY(mailbox.advance(selected.view, tell_expunges));
  told.mark = selected.view.mark();
  tell_expunged(ctx, changes);
  if (changes.grown) {
    TRY(claim_recent(ctx, selected));
    ctx.out.untagged(changes.exists, " EXISTS");
    ctx.out.untagged(recent_count(ctx, selected), " RECENT");
  }
  if (mailbox.keywords().size() > told.told_keywords) tell_flag_names(ctx, selected);
  tell_flags(ctx, selected, changes);
  return {};
}

Result<std::unique_ptr<Selected>> reopen_selected(Context& ctx) {
  const SelectedMailbox& told = *ctx.conn.selected;
  auto selected = std::make_unique<Selected>();
  auto found = ctx.back.lately.mailbox(told.mark.mailbox);
  if (!found && found.error().code == Errc::no_such_mailbox)
    return fail(Errc::mailbox_deleted, "{}", told.mark.mailbox.hex());
  Lately::Mailbox seen = TRY(std::move(found));
  selected->entry = std::move(seen.entry);
  selected->looked_at = seen.looked_at;
  selected->rights = selected->entry.acl.rights_of(ctx.conn.who, selected->entry.name);
  if (!selected->rights.has(meta::Right::read))
    return fail(Errc::mailbox_deleted, "no right to read {}", selected->entry.name.text());
  selected->mailbox = TRY(ctx.back.store.open_mailbox(selected->entry));
  selected->view = TRY(selected->mailbox->view_at(told.mark));
  return selected;
}

Result<void> claim_recent(Context& ctx, Selected& selected) {
  SelectedMailbox& told = *ctx.conn.selected;
  if (told.read_only) return {};
  const auto claimed = TRY(selected.mailbox->claim_recent());
  if (!claimed) return {};
  if (!told.recent.empty() && told.recent.back().last.next() == claimed->first)
    told.recent.back().last = claimed->second;
  else
    told.recent.push_back({claimed->first, claimed->second});
  return {};
}

std::uint32_t recent_count(const Context& ctx, const Selected& selected) {
  std::uint32_t count = 0;
  for (const UidRange& range : ctx.conn.selected->recent) {
    const std::uint32_t before = shown_before(selected, range.first);
    const bool last_possible = range.last.value() == UINT32_MAX;
    const std::uint32_t up_to =
        last_possible ? selected.view.exists() : shown_before(selected, range.last.next());
    count += up_to - before;
  }
  return count;
}

void tell_flag_names(Context& ctx, const Selected& selected) {
  const store::Mailbox& mailbox = *selected.mailbox;
  ctx.conn.selected->told_keywords = static_cast<std::uint32_t>(mailbox.keywords().size());
  ctx.out.untagged("FLAGS (", flag_names(mailbox), ")");
  if (ctx.conn.selected->read_only) {
    ctx.out.untagged("OK [PERMANENTFLAGS ()] The mailbox is read-only");
    return;
  }
  const auto settable = settable_flags(selected.rights);  // RFC 4314 §5.1.1
  const std::string names = flag_names(mailbox, settable);
  const bool room = settable.keywords && mailbox.keywords().size() < mailbox.max_keywords();
  ctx.out.untagged("OK [PERMANENTFLAGS (", names, room ? " \\*" : "", ")] Flags that can be set");
}

}  // namespace postern::imap
