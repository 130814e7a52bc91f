// STORE and UID STORE (RFC 9051 §6.4.6), with UNCHANGEDSINCE (RFC 7162 §3.1.3).
#include "imapd/command/commands.h"
#include "imapd/event_run.h"
#include "imapd/flag_text.h"
#include "imapd/grammar.h"
#include "imapd/line_writer.h"
#include "imapd/messages.h"
#include "imapd/tell.h"

namespace postern::imap {
namespace {

using meta::Right;

// store-modifiers = SP "(" "UNCHANGEDSINCE" SP mod-sequence-valzer ")"
Result<void> parse_modifiers(Cursor& in, store::FlagChange& change) {
  TRY(in.expect('('));
  if (!in.take_word("UNCHANGEDSINCE")) return in.expected("UNCHANGEDSINCE");
  TRY(in.space());
  change.unchanged_since = TRY(parse_modseq(in));
  TRY(in.expect(')'));
  return in.space();
}

// store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP (flag-list / (flag *(SP flag)))
Result<void> parse_flags(Cursor& in, StoreFlags::Request& request) {
  if (in.take('+'))
    request.change.op = store::FlagOp::add;
  else if (in.take('-'))
    request.change.op = store::FlagOp::remove;
  else
    request.change.op = store::FlagOp::replace;
  if (!in.take_text("FLAGS")) return in.expected("FLAGS");
  request.silent = in.take_text(".SILENT");
  TRY(in.space());
  if (in.peek() == '(') {
    request.change.flags = TRY(parse_flag_list(in));
    return {};
  }
  do {
    TRY(parse_flag(in, request.change.flags));
  } while (in.take(' '));
  return {};
}

meta::Rights rights_for(const store::NamedFlags& flags) {
  meta::Rights rights;
  if ((flags.system & store::flag::seen) != 0) rights = rights | Right::seen;
  if ((flags.system & store::flag::deleted) != 0) rights = rights | Right::delete_message;
  constexpr std::uint32_t others =
      store::flag::answered | store::flag::flagged | store::flag::draft;
  if ((flags.system & others) != 0 || !flags.keywords.empty()) rights = rights | Right::write;
  return rights;
}

// RFC 4314 §4: flags that the client has no right to change are left as they are; NO only if it
// may change none of those it names. Replacing all flags needs some right, and touches what it has.
Result<void> keep_permitted(store::NamedFlags& flags, meta::Rights rights) {
  const meta::Rights needed = rights_for(flags);
  if (!needed.empty() && (needed.bits() & rights.bits()) == 0)
    return fail(Errc::no_permission, "needs {}", needed.text(false));
  const store::CarriedFlags settable = settable_flags(rights);
  flags.system &= settable.system;
  if (!settable.keywords) flags.keywords.clear();
  return {};
}

void tell_stored(Context& ctx, const StoreFlags::Plan& plan) {
  const Selected& selected = *ctx.selected;
  const FlagWriter flags(*selected.mailbox, ctx.conn.selected->recent);
  const bool condstore = ctx.conn.has(enabled::condstore);
  LineWriter out(ctx.out.stream());
  MessageWalk walk(selected, plan.ranges, plan.form);
  while (const auto message = walk.next()) {
    const ModSeq modseq = selected.mailbox->modseq(message->record);
    if (plan.silent && modseq != selected.own_change) continue;
    out.text("* ");
    out.number(message->seqnum.value());
    out.text(" FETCH (");
    if (plan.form == Form::uid || condstore) {
      out.text("UID ");
      out.number(message->uid.value());
      out.octet(' ');
    }
    if (!plan.silent) {
      out.text("FLAGS ");
      flags.write(out, message->record, message->uid);
      if (condstore) out.octet(' ');
    }
    if (condstore) {
      out.text("MODSEQ (");
      out.number(modseq.value());
      out.octet(')');
    }
    out.text(")\r\n");
  }
}

std::string modified_set(const Context& ctx, const StoreFlags::Plan& plan,
                         const std::vector<Uid>& modified) {
  if (plan.form == Form::uid) return format_uid_set(modified);
  std::string out;
  NumberSetWriter writer(out);
  for (const Uid uid : modified)
    if (const auto record = ctx.selected->mailbox->lower_bound(uid))
      if (const auto seqnum = ctx.selected->view.seqnum_of(*record)) writer.add(seqnum->value());
  writer.finish();
  return out;
}

}  // namespace

// store = "STORE" SP sequence-set [store-modifiers] SP store-att-flags
Result<StoreFlags::Request> StoreFlags::parse(Cursor& in, Form form) {
  Request request;
  request.form = form;
  TRY(in.space());
  request.set = TRY(parse_sequence_set(in));
  TRY(in.space());
  if (in.peek() == '(') TRY(parse_modifiers(in, request.change));
  TRY(parse_flags(in, request));
  return request;
}

Result<StoreFlags::Plan> StoreFlags::plan(const Request& request, Context& ctx) {
  const meta::Rights any = meta::Rights(Right::seen) | Right::write | Right::delete_message;
  Selected* selected = TRY(ctx.changeable(any));
  Plan plan{TRY(resolve(ctx, request.set, request.form)),
            request.form,
            request.change,
            request.silent,
            {},
            {}};
  TRY(keep_permitted(plan.change.flags, selected->rights));
  if (plan.change.op == store::FlagOp::replace) plan.lacking = any - selected->rights;
  if (plan.change.unchanged_since) ctx.conn.enabled |= enabled::condstore;  // RFC 7162 §3.1
  return plan;
}

// What others changed before is told first, so that afterwards only our own change is new.
Result<void> StoreFlags::execute(Plan& plan, Context& ctx) {
  TRY(tell_changes(ctx, false));
  Selected& selected = *ctx.selected;
  const auto records = records_in(selected, plan.ranges, plan.form);
  FlagWatch watch(ctx, records);
  if (!plan.lacking.empty()) {
    plan.stored = TRY(replace_permitted(plan, records, ctx));
    watch.note();
    return {};
  }
  plan.stored = TRY(selected.mailbox->store_flags(records, plan.change));
  watch.note();
  selected.own_change = plan.stored.changed.empty() ? ModSeq(0) : plan.stored.modseq;
  return {};
}

// FLAGS by one who lacks a right: what he may change is set and what else he may change removed;
// the rest stays.
Result<store::FlagsStored> StoreFlags::replace_permitted(const Plan& plan,
                                                         const std::vector<store::RecNo>& records,
                                                         Context& ctx) {
  store::Mailbox& mailbox = *ctx.selected->mailbox;
  store::FlagChange remove{store::FlagOp::remove, {}, plan.change.unchanged_since};
  const store::CarriedFlags settable = settable_flags(ctx.selected->rights);
  remove.flags.system = settable.system & ~plan.change.flags.system;
  if (settable.keywords) remove.flags.keywords = mailbox.keywords();
  for (const std::string& keyword : plan.change.flags.keywords)
    std::erase(remove.flags.keywords, keyword);
  auto removed = TRY(mailbox.store_flags(records, remove));
  store::FlagChange add = plan.change;
  add.op = store::FlagOp::add;
  add.unchanged_since.reset();
  if (!removed.modified.empty()) return removed;
  return mailbox.store_flags(records_in(*ctx.selected, plan.ranges, plan.form), add);
}

Completion StoreFlags::respond(const Plan& plan, Context& ctx) {
  const store::FlagsStored& stored = plan.stored;
  if (const auto told = tell_changes(ctx, false); !told) return failed(ctx, told.error());
  if (!plan.silent || ctx.conn.has(enabled::condstore)) tell_stored(ctx, plan);
  if (!stored.modified.empty()) {
    ctx.out.code("MODIFIED " + modified_set(ctx, plan, stored.modified));
    return {Completion::Kind::ok, "Conditional STORE failed for some messages", {}};
  }
  // RFC 5530 §3, RFC 2180 §4.2: some of the messages were expunged by others.
  if (!stored.expunged.empty()) return failed(ctx, fail(Errc::expunged, "store"));
  return {};
}

}  // namespace postern::imap
