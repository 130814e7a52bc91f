// FETCH and UID FETCH (RFC 9051 §6.4.5), with CHANGEDSINCE and VANISHED (RFC 7162 §3.1.4, §3.2.6).
// Messages are written one by one; what marks them as seen is stored in batches after the client
// has taken the octets.
#include "imapd/command/commands.h"
#include "imapd/event_run.h"
#include "imapd/grammar.h"
#include "imapd/message_writer.h"
#include "imapd/messages.h"
#include "imapd/tell.h"
#include "lib/log/log.h"

namespace postern::imap {
namespace {

using Kind = FetchItem::Kind;

constexpr std::size_t kSeenBatch = 256;  // messages marked in one commit

// fetch-modifiers = SP "(" "CHANGEDSINCE" SP mod-sequence-value [SP "VANISHED"] ")"
Result<void> parse_modifiers(Cursor& in, Fetch::Request& request) {
  TRY(in.space());
  TRY(in.expect('('));
  do {
    if (in.take_word("CHANGEDSINCE")) {
      TRY(in.space());
      request.changed_since = TRY(parse_modseq(in));
    } else if (in.take_word("VANISHED")) {
      request.vanished = true;
    } else {
      return in.expected("CHANGEDSINCE or VANISHED");
    }
  } while (in.take(' '));
  return in.expect(')');
}

bool asks_for(const std::vector<FetchItem>& items, Kind kind) {
  for (const FetchItem& item : items)
    if (item.kind == kind) return true;
  return false;
}

void add_front(std::vector<FetchItem>& items, Kind kind) {
  if (asks_for(items, kind)) return;
  FetchItem item;
  item.kind = kind;
  items.insert(items.begin(), std::move(item));
}

// Marks what was read, once its octets have left. Told with all other changes at the end.
class SeenMarker {
 public:
  explicit SeenMarker(Context& ctx) : ctx_(ctx) {}
  void add(const Message& message) {
    const auto flags = ctx_.selected->mailbox->flag_word(message.record);
    if ((flags.system & store::flag::seen) == 0) records_.push_back(message.record);
  }
  [[nodiscard]] bool full() const { return records_.size() >= kSeenBatch; }
  [[nodiscard]] bool empty() const { return records_.empty(); }
  Result<void> store() {
    TRY(ctx_.out.stream().flush());
    const store::FlagChange change{store::FlagOp::add, {store::flag::seen, {}}, {}};
    FlagWatch watch(ctx_, records_);
    TRY(ctx_.selected->mailbox->store_flags(records_, change));
    watch.note();
    records_.clear();
    return {};
  }

 private:
  Context& ctx_;
  std::vector<store::RecNo> records_;
};

// RFC 7162 §3.2.6: uids of the set that were expunged since. "*" has no end here: it was the
// highest uid when the client last looked, and that message may be gone.
void tell_vanished(Context& ctx, const Fetch::Plan& plan) {
  const auto since = ctx.selected->mailbox->changes_since(*plan.changed_since);
  const std::string vanished = vanished_of(*ctx.selected, since, plan.known);
  if (!vanished.empty()) ctx.out.untagged("VANISHED (EARLIER) ", vanished);
}

// What a single message's trouble means for the command: the others are still sent, the reply is
// NO (RFC 2180 §4.1.2).
bool passes_over(const Error& error) {
  return error.code == Errc::expunged || error.code == Errc::corrupt ||
         error.code == Errc::not_supported;
}

}  // namespace

// fetch = "FETCH" SP sequence-set SP (macro / fetch-att / list) [fetch-modifiers]
Result<Fetch::Request> Fetch::parse(Cursor& in, Form form) {
  Request request;
  request.form = form;
  TRY(in.space());
  request.set = TRY(parse_sequence_set(in));
  TRY(in.space());
  request.items = TRY(parse_fetch_items(in));
  if (!in.at_end()) TRY(parse_modifiers(in, request));
  if (request.vanished && (form != Form::uid || !request.changed_since))
    return fail(Errc::bad_syntax, "VANISHED goes with UID FETCH and CHANGEDSINCE");
  return request;
}

Result<Fetch::Plan> Fetch::plan(const Request& request, Context& ctx) {
  if (request.vanished && !ctx.conn.has(enabled::qresync))
    return fail(Errc::bad_syntax, "enable QRESYNC first");
  TRY(ctx.refresh_rights());
  Plan plan{TRY(resolve(ctx, request.set, request.form)),
            request.form,
            request.items,
            request.changed_since,
            {}};
  if (request.vanished)
    plan.known = request.set.saved ? plan.ranges : request.set.resolved(UINT32_MAX);
  if (plan.changed_since || asks_for(plan.items, Kind::modseq))
    ctx.conn.enabled |= enabled::condstore;  // RFC 7162 §3.1
  if (plan.changed_since) add_front(plan.items, Kind::modseq);
  if (request.form == Form::uid) add_front(plan.items, Kind::uid);
  return plan;
}

Result<void> Fetch::respond(const Plan& plan, Context& ctx) {
  const Selected& selected = *ctx.selected;
  if (!plan.known.empty()) tell_vanished(ctx, plan);
  MessageWriter writer(ctx, plan.items);
  const bool marks =
      writer.sets_seen() && !ctx.conn.selected->read_only && selected.rights.has(meta::Right::seen);
  SeenMarker seen(ctx);
  MessageWalk walk(selected, plan.ranges, plan.form);
  std::optional<Error> trouble;
  while (const auto message = walk.next()) {
    if (plan.changed_since && selected.mailbox->modseq(message->record) <= *plan.changed_since)
      continue;
    if (auto written = writer.write(*message); !written) {
      if (!passes_over(written.error())) return written;
      trouble = std::move(written).error();
      continue;
    }
    if (marks) seen.add(*message);
    if (ctx.out.stream().broken()) return fail(Errc::closed, "the client has gone");
    if (!seen.full()) continue;
    writer.commit();
    TRY(seen.store());
    walk.moved();
  }
  writer.commit();
  if (!seen.empty()) TRY(seen.store());
  if (trouble) return *trouble;
  return {};
}

}  // namespace postern::imap
