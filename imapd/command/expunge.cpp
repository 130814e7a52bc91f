// EXPUNGE and UID EXPUNGE (RFC 9051 §6.4.3, §6.4.9).
#include "imapd/command/commands.h"
#include "imapd/grammar.h"
#include "imapd/messages.h"
#include "imapd/tell.h"
#include "lib/log/log.h"

namespace postern::imap {

void log_expunge(const Context& ctx, const store::Mailbox::Expunged& gone) {
  if (gone.uids.empty()) return;
  LOG(notice, "mailbox.expunge", {"conn", ctx.facts.session_id}, {"user", ctx.conn.who.user.text()},
      {"mailbox", ctx.selected->entry.name.text()},
      {"uidvalidity", ctx.selected->mailbox->uidvalidity()}, {"uids", format_uid_set(gone.uids)},
      {"modseq", gone.modseq});
}

// expunge = "EXPUNGE"; uid-expunge = "UID" SP "EXPUNGE" SP sequence-set
Result<Expunge::Request> Expunge::parse(Cursor& in, Form form) {
  if (form == Form::plain) return Request{.only = std::nullopt};
  TRY(in.space());
  auto only = TRY(parse_sequence_set(in));
  return Request{.only = std::move(only)};
}

// A mailbox opened with EXAMINE, or without the ACL right "e" (RFC 4314 §4), stops here.
Result<Expunge::Plan> Expunge::plan(const Request& request, Context& ctx) {
  Selected* selected = TRY(ctx.changeable(meta::Right::expunge));
  if (!request.only) return Plan{{{1, selected->view.exists()}}, Form::plain};
  return Plan{TRY(resolve(ctx, *request.only, Form::uid)), Form::uid};
}

Result<store::Mailbox::Expunged> Expunge::execute(const Plan& plan, Context& ctx) {
  const auto records = records_in(*ctx.selected, plan.ranges, plan.form);
  return ctx.selected->mailbox->expunge(records, true);
}

// The EXPUNGE lines come with all other changes, before the tagged reply.
Result<void> Expunge::respond(const store::Mailbox::Expunged& gone, Context& ctx) {
  log_expunge(ctx, gone);
  TRY(tell_changes(ctx, true));
  // RFC 7162 §3.2.7
  if (!gone.uids.empty() && ctx.conn.has(enabled::condstore))
    ctx.out.code(fmt::format("HIGHESTMODSEQ {}", gone.modseq));
  return {};
}

}  // namespace postern::imap
