// SELECT and EXAMINE (RFC 9051 §6.3.2, §6.3.3), with the parameters CONDSTORE and QRESYNC
// (RFC 7162 §3.1.8, §3.2.5).
#include "imapd/command/commands.h"
#include "imapd/flag_text.h"
#include "imapd/grammar.h"
#include "imapd/line_writer.h"
#include "imapd/messages.h"
#include "imapd/tell.h"
#include "lib/base/clock.h"
#include "lib/log/log.h"

namespace postern::imap {
namespace {

using meta::Right;

// seq-match-data = "(" known-sequence-set SP known-uid-set ")": it only narrows what is sent; the
// index answers without it.
Result<void> skip_seq_match_data(Cursor& in) {
  TRY(in.expect('('));
  TRY(parse_uid_set(in));
  TRY(in.space());
  TRY(parse_uid_set(in));
  return in.expect(')');
}

// "QRESYNC" SP "(" uidvalidity SP mod-sequence-value [SP known-uids] [SP seq-match-data] ")"
Result<Resync> parse_resync(Cursor& in) {
  Resync resync;
  TRY(in.space());
  TRY(in.expect('('));
  resync.uidvalidity = UidValidity(TRY(parse_nz_number(in)));
  TRY(in.space());
  resync.since = TRY(parse_modseq(in));
  if (in.take(' ') && in.peek() != '(') {
    resync.known = TRY(parse_uid_set(in));
    if (in.take(' ')) TRY(skip_seq_match_data(in));
  } else if (in.peek() == '(') {
    TRY(skip_seq_match_data(in));
  }
  TRY(in.expect(')'));
  return resync;
}

Result<void> parse_parameter(Cursor& in, SelectRequest& request) {
  if (in.take_word("CONDSTORE")) {
    request.condstore = true;
    return {};
  }
  if (!in.take_word("QRESYNC")) return in.expected("CONDSTORE or QRESYNC");
  request.resync = TRY(parse_resync(in));
  return {};
}

meta::Rights change_rights() {
  return meta::Rights(Right::insert) | Right::expunge | Right::write | Right::seen |
         Right::delete_message;
}

void tell_first_unseen(Context& ctx, const Selected& selected) {
  const auto unseen = selected.mailbox->first_unseen(selected.view);
  if (!unseen) return;
  ctx.out.untagged("OK [UNSEEN ", unseen->value(), "] The first unseen message");
}

void tell_numbers(Context& ctx, const Selected& selected, const store::MailboxStatus& status) {
  ctx.out.untagged(selected.view.exists(), " EXISTS");
  ctx.out.untagged(recent_count(ctx, selected), " RECENT");
  tell_first_unseen(ctx, selected);
  ctx.out.untagged("OK [UIDVALIDITY ", selected.mailbox->uidvalidity().value(), "] UIDs are valid");
  ctx.out.untagged("OK [UIDNEXT ", selected.view.mark().told_uidnext.value(), "] The next UID");
  ctx.out.untagged("OK [HIGHESTMODSEQ ", status.highestmodseq.value(), "] The highest modseq");
  ctx.out.untagged("OK [MAILBOXID (", selected.mailbox->id().hex(), ")] The mailbox's id");
}

// What an EXAMINE shows as \Recent is left for the next SELECT (RFC 3501 §6.3.2).
void show_recent(Context& ctx, const store::MailboxStatus& status) {
  if (!ctx.conn.selected->read_only || status.recent_uid.next() >= status.uidnext) return;
  ctx.conn.selected->recent = {{status.recent_uid.next(), Uid(status.uidnext.value() - 1)}};
}

// RFC 7162 §3.2.5.1: what happened since the client was last here.
void tell_resync(Context& ctx, const Selected& selected, const Resync& resync) {
  if (resync.uidvalidity != selected.mailbox->uidvalidity()) return;
  const auto since = selected.mailbox->changes_since(resync.since);
  // Without a list the client knows all that there ever was.
  const auto known =
      resync.known ? resync.known->resolved(UINT32_MAX) : std::vector<NumberRange>{{1, UINT32_MAX}};
  const std::string vanished = vanished_of(selected, since, known);
  if (!vanished.empty()) ctx.out.untagged("VANISHED (EARLIER) ", vanished);
  const FlagWriter flags(*selected.mailbox, ctx.conn.selected->recent);
  LineWriter out(ctx.out.stream());
  auto range = known.begin();  // uids ascend as ranges do
  for (const store::RecNo record : since.changed) {
    const auto seqnum = selected.view.seqnum_of(record);
    const Uid uid = selected.mailbox->uid(record);
    while (range != known.end() && range->last < uid.value()) ++range;
    if (range == known.end()) break;
    if (!seqnum || uid.value() < range->first) continue;
    const ModSeq modseq = selected.mailbox->modseq(record);
    out.text("* ");
    out.number(seqnum->value());
    out.text(" FETCH (UID ");
    out.number(uid.value());
    out.text(" FLAGS ");
    flags.write(out, record, uid);
    out.text(" MODSEQ (");
    out.number(modseq.value());
    out.text("))\r\n");
  }
}

}  // namespace

// select = "SELECT" SP mailbox [select-params]
// select-params = SP "(" select-param *(SP select-param) ")"
Result<SelectRequest> parse_select(Cursor& in) {
  SelectRequest request;
  TRY(in.space());
  request.mailbox = TRY(parse_mailbox(in));
  if (!in.take(' ')) return request;
  TRY(in.expect('('));
  do {
    TRY(parse_parameter(in, request));
  } while (in.take(' '));
  TRY(in.expect(')'));
  return request;
}

// The old mailbox is left even if the new one can't be opened (RFC 9051 §6.3.2).
Result<void> open_selected(const SelectRequest& request, Context& ctx, bool examine) {
  if (ctx.selected && ctx.conn.has(enabled::qresync))
    ctx.out.untagged("OK [CLOSED] The previous mailbox is closed");
  ctx.selected.reset();
  ctx.conn.unselect();
  auto found = TRY(ctx.find_with(request.mailbox, Right::read));
  auto selected = std::make_unique<Selected>();
  selected->mailbox = TRY(ctx.back.store.open_mailbox(found.entry));
  selected->view = selected->mailbox->snapshot();
  selected->rights = found.rights;
  selected->looked_at = steady_millis();
  selected->entry = std::move(found.entry);
  SelectedMailbox told;
  told.mark = selected->view.mark();
  told.read_only = examine || (selected->rights.bits() & change_rights().bits()) == 0;
  ctx.conn.selected = std::move(told);
  ctx.conn.state = Connection::State::selected;
  ctx.selected = std::move(selected);
  return {};
}

Completion answer_select(const SelectRequest& request, Context& ctx) {
  Selected& selected = *ctx.selected;
  if (request.condstore || request.resync) ctx.conn.enabled |= enabled::condstore;
  const store::MailboxStatus status = selected.mailbox->status();
  show_recent(ctx, status);
  if (const auto claimed = claim_recent(ctx, selected); !claimed)
    LOG(warning, "mailbox.recent", {"conn", ctx.facts.session_id},
        {"mailbox", selected.entry.name.text()}, {"error", claimed.error().text});
  tell_flag_names(ctx, selected);
  tell_numbers(ctx, selected, status);
  if (request.resync) tell_resync(ctx, selected, *request.resync);
  ctx.out.code(ctx.conn.selected->read_only ? "READ-ONLY" : "READ-WRITE");
  return {};
}

Result<void> Select::plan(const SelectRequest& request, Context& ctx) {
  // RFC 7162 §3.2.5: QRESYNC has to be enabled first.
  if (request.resync && !ctx.conn.has(enabled::qresync))
    return fail(Errc::bad_syntax, "enable QRESYNC first");
  return {};
}
Result<void> Select::execute(const SelectRequest& request, Context& ctx) {
  return open_selected(request, ctx, false);
}
Completion Select::respond(const SelectRequest& request, Context& ctx) {
  return answer_select(request, ctx);
}

Result<void> Examine::execute(const SelectRequest& request, Context& ctx) {
  return open_selected(request, ctx, true);
}

}  // namespace postern::imap
