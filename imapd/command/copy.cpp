// COPY, MOVE and their UID forms (RFC 9051 §6.4.7, §6.4.8; COPYUID: RFC 4315 §3).
#include "imapd/command/commands.h"
#include "imapd/event_run.h"
#include "imapd/flag_text.h"
#include "imapd/grammar.h"
#include "imapd/messages.h"
#include "imapd/tell.h"
#include "lib/log/log.h"

namespace postern::imap {
namespace {

using meta::Right;

std::string copyuid(const store::Copied& copied) {
  return fmt::format("COPYUID {} {} {}", copied.uidvalidity, format_uid_set(copied.source),
                     format_uid_set(copied.destination));
}

// A destination that isn't there can be created (RFC 9051 §6.4.7); one that goes away meanwhile is
// not the selected mailbox.
Error about_destination(Context& ctx, Error error) {
  if (error.code == Errc::mailbox_deleted) error.code = Errc::no_such_mailbox;
  if (error.code == Errc::no_such_mailbox) ctx.out.code("TRYCREATE");
  return error;
}

Result<Found> find_destination(Context& ctx, std::string_view name) {
  auto found = ctx.find_with(name, Right::insert);
  if (!found) return about_destination(ctx, std::move(found).error());
  return found;
}

void log_copied(const Context& ctx, std::string_view event, const CopyPlan& plan,
                const store::Copied& copied) {
  LOG(notice, "mailbox.copy", {"conn", ctx.facts.session_id}, {"user", ctx.conn.who.user.text()},
      {"how", event}, {"mailbox", ctx.selected->entry.name.text()},
      {"uidvalidity", ctx.selected->mailbox->uidvalidity()},
      {"uids", format_uid_set(copied.source)}, {"destination", plan.destination.name.text()},
      {"destination_uidvalidity", copied.uidvalidity},
      {"destination_uids", format_uid_set(copied.destination)});
}

}  // namespace

// copy = "COPY" SP sequence-set SP mailbox; move is the same with its name
Result<CopyRequest> parse_copy(Cursor& in, Form form) {
  CopyRequest request;
  request.form = form;
  TRY(in.space());
  request.set = TRY(parse_sequence_set(in));
  TRY(in.space());
  request.mailbox = TRY(parse_mailbox(in));
  return request;
}

Result<CopyPlan> Copy::plan(const CopyRequest& request, Context& ctx) {
  TRY(ctx.refresh_rights());
  auto ranges = TRY(resolve(ctx, request.set, request.form));
  auto found = TRY(find_destination(ctx, request.mailbox));
  // RFC 4314 §4: flags that the client has no right to set at the destination are left behind.
  return CopyPlan{
      std::move(ranges), request.form, std::move(found.entry), settable_flags(found.rights), {}};
}

// A sequence number that the client was shown stands for a message; OK would say that it was copied
// (RFC 2180 §4.4.1). A uid that is nobody's is passed over (RFC 9051 §6.4.9).
Result<void> Copy::execute(CopyPlan& plan, Context& ctx) {
  const auto records = records_in(*ctx.selected, plan.ranges, plan.form);
  if (records.empty()) return {};
  auto copied =
      ctx.back.store.copy(*ctx.selected->mailbox, records, plan.destination, plan.carried,
                          plan.form == Form::plain ? store::Gone::refuse : store::Gone::leave_out);
  if (!copied) return about_destination(ctx, std::move(copied).error());
  plan.copied = std::move(*copied);
  log_copied(ctx, "copy", plan, plan.copied);
  note_arrival(ctx, Cause::copy, plan.destination, ctx.selected->entry.name,
               plan.copied.destination);
  return {};
}

void Copy::respond(const CopyPlan& plan, Context& ctx) {
  if (!plan.copied.source.empty()) ctx.out.code(copyuid(plan.copied));
}

// RFC 6851 §4.3: the rights of COPY, and those to expunge at the source.
Result<CopyPlan> Move::plan(const CopyRequest& request, Context& ctx) {
  Selected* selected = TRY(ctx.changeable(Right::expunge));
  if (!selected->rights.has(Right::delete_message))
    return fail(Errc::no_permission, "MOVE needs t and e");
  return Copy::plan(request, ctx);
}

Result<void> Move::execute(CopyPlan& plan, Context& ctx) {
  const auto records = records_in(*ctx.selected, plan.ranges, plan.form);
  if (records.empty()) return {};
  auto moved = ctx.back.store.move(*ctx.selected->mailbox, records, plan.destination, plan.carried);
  if (!moved) return about_destination(ctx, std::move(moved).error());
  plan.copied = std::move(*moved);
  log_copied(ctx, "move", plan, plan.copied);
  note_arrival(ctx, Cause::copy, plan.destination, ctx.selected->entry.name,
               plan.copied.destination);
  return {};
}

// RFC 6851 §4.3: COPYUID comes untagged, before the EXPUNGEs.
Result<void> Move::respond(const CopyPlan& plan, Context& ctx) {
  if (plan.copied.source.empty()) return {};
  ctx.out.untagged("OK [", copyuid(plan.copied), "] Moved");
  TRY(tell_changes(ctx, true));
  if (ctx.conn.has(enabled::condstore))
    ctx.out.code(fmt::format("HIGHESTMODSEQ {}", plan.copied.modseq));
  return {};
}

}  // namespace postern::imap
