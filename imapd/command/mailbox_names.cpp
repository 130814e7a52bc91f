// CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 9051 §6.3.4 to §6.3.8; CREATE's USE:
// RFC 6154 §3; rights: RFC 4314 §4).
#include <algorithm>

#include "imapd/command/commands.h"
#include "imapd/grammar.h"
#include "imapd/special_use.h"
#include "lib/base/text.h"
#include "lib/log/log.h"
#include "lib/meta/recipient.h"

namespace postern::imap {
namespace {

using meta::Right;

// use-attr = "\All" / "\Archive" / … / "\" atom
Result<std::string> parse_use(Cursor& in) {
  TRY(in.expect('\\'));
  return "\\" + std::string(TRY(parse_atom(in)));
}

// Whose right k decides about a new mailbox: its nearest ancestor's (RFC 4314 §4).
Result<bool> may_create(Context& ctx, const meta::MailboxName& name) {
  if (ctx.conn.who.admin) return true;
  for (meta::MailboxName above = name.parent(); !above.empty(); above = above.parent()) {
    const auto entry = ctx.back.meta.lookup(above);
    if (entry) return entry->acl.rights_of(ctx.conn.who, above).has(Right::create);
    if (entry.error().code != Errc::no_such_mailbox) return entry.error();
  }
  return false;
}

Result<void> check_may_create(Context& ctx, const meta::MailboxName& name) {
  const bool may = TRY(may_create(ctx, name));
  if (!may) return fail(Errc::no_permission, "create {}", name.text());
  return {};
}

// A trailing separator says that inferiors will follow (RFC 9051 §6.3.4); it is no part of the
// name.
std::string_view without_separator(std::string_view name) {
  if (name.size() > 1 && name.ends_with('/')) name.remove_suffix(1);
  return name;
}

void log_mailbox(const Context& ctx, std::string_view what, const meta::MailboxEntry& entry) {
  LOG(notice, "mailbox.change", {"conn", ctx.facts.session_id}, {"user", ctx.conn.who.user.text()},
      {"how", what}, {"mailbox", entry.name.text()}, {"id", entry.id.hex()});
}

Result<meta::MailboxEntry> make_mailbox(Context& ctx, const meta::MailboxName& name,
                                        std::string_view special_use = {}) {
  const auto acl = TRY(meta::inherited_acl(ctx.back.meta, name));
  auto made = TRY(ctx.back.store.create(name, acl, special_use));
  log_mailbox(ctx, "create", made);
  return made;
}

// "user/anna/INBOX", above what anna calls INBOX/x: her INBOX is "user/anna".
bool stands_for_inbox(const meta::MailboxName& name) {
  return name.parent().is_inbox() && name.path().ends_with("/INBOX");
}

// The levels above a name that is about to be made become mailboxes too (RFC 9051 §6.3.4, §6.3.6),
// except an INBOX: it comes with its user.
Result<void> make_superiors(Context& ctx, const meta::MailboxName& name) {
  if (name.is_inbox()) return {};
  std::vector<meta::MailboxName> missing;
  for (meta::MailboxName above = name.parent(); !above.empty(); above = above.parent()) {
    const auto entry = ctx.back.meta.lookup(above);
    if (entry || above.is_inbox() || stands_for_inbox(above)) break;
    if (entry.error().code != Errc::no_such_mailbox) return entry.error();
    missing.push_back(above);
  }
  for (auto above = missing.rbegin(); above != missing.rend(); ++above) {
    const auto made = make_mailbox(ctx, *above);
    if (!made && made.error().code != Errc::mailbox_exists) return made.error();
  }
  return {};
}

// An admin who deletes a user's INBOX deletes the user's tree; nobody else may delete an INBOX.
Result<std::vector<meta::MailboxEntry>> doomed_by(Context& ctx, const meta::MailboxEntry& entry) {
  std::vector<meta::MailboxEntry> doomed;
  if (!entry.name.is_inbox()) return std::vector{entry};
  const bool own = entry.name == meta::MailboxName::inbox_of(ctx.conn.who.user);
  if (!ctx.conn.who.admin || own) return fail(Errc::not_supported, "INBOX can't be deleted");
  for (auto& listed : TRY(ctx.back.meta.list({ctx.conn.who, {entry.name}})))
    doomed.push_back(std::move(listed.entry));
  std::reverse(doomed.begin(), doomed.end());
  return doomed;
}

}  // namespace

// create = "CREATE" SP mailbox [SP "(" "USE" SP "(" [use-attr *(SP use-attr)] ")" ")"]
Result<Create::Request> Create::parse(Cursor& in) {
  Request request;
  TRY(in.space());
  request.mailbox = TRY(parse_mailbox(in));
  if (!in.take(' ')) return request;
  TRY(in.expect('('));
  if (!in.take_word("USE")) return in.expected("USE");
  TRY(in.space());
  if (!in.take_text("()")) request.uses = TRY(parenthesized(in, parse_use));
  TRY(in.expect(')'));
  return request;
}

Result<Create::Plan> Create::plan(const Request& request, Context& ctx) {
  Plan plan;
  plan.special_use = TRY(known_special_uses(ctx, request.uses));
  plan.name = TRY(ctx.internal_name(without_separator(request.mailbox)));
  if (ctx.find(plan.name)) return fail(Errc::mailbox_exists, "{}", plan.name.text());
  TRY(check_may_create(ctx, plan.name));
  return plan;
}

Result<meta::MailboxEntry> Create::execute(const Plan& plan, Context& ctx) {
  TRY(make_superiors(ctx, plan.name));
  return make_mailbox(ctx, plan.name, plan.special_use);
}

void Create::respond(const meta::MailboxEntry& made, Context& ctx) {
  ctx.out.code(fmt::format("MAILBOXID ({})", made.id.hex()));  // RFC 8474 §4.1
}

// delete = "DELETE" SP mailbox
Result<Delete::Request> Delete::parse(Cursor& in) {
  TRY(in.space());
  return Request{TRY(parse_mailbox(in))};
}

Result<Delete::Plan> Delete::plan(const Request& request, Context& ctx) {
  const auto found = TRY(ctx.find_with(request.mailbox, Right::delete_mailbox));
  return Plan{TRY(doomed_by(ctx, found.entry))};
}

// Who deletes the mailbox that it has selected is back in the authenticated state.
Result<void> Delete::execute(const Plan& plan, Context& ctx) {
  for (const meta::MailboxEntry& entry : plan.doomed) {
    TRY(ctx.back.store.erase(entry));
    log_mailbox(ctx, "delete", entry);
    if (!ctx.selected || ctx.selected->entry.id != entry.id) continue;
    ctx.selected.reset();
    ctx.conn.unselect();
    ctx.out.untagged("OK [CLOSED] The selected mailbox was deleted");
  }
  return {};
}

// rename = "RENAME" SP mailbox SP mailbox
Result<Rename::Request> Rename::parse(Cursor& in) {
  Request request;
  TRY(in.space());
  request.from = TRY(parse_mailbox(in));
  TRY(in.space());
  request.to = TRY(parse_mailbox(in));
  return request;
}

Result<Rename::Plan> Rename::plan(const Request& request, Context& ctx) {
  const auto found = TRY(ctx.find_with(request.from, Right::delete_mailbox));
  auto to = TRY(ctx.internal_name(without_separator(request.to)));
  Plan plan{found.entry.name, std::move(to)};
  if (ctx.find(plan.to)) return fail(Errc::mailbox_exists, "{}", plan.to.text());
  if (plan.to.is_within(plan.from) && !plan.from.is_inbox())
    return fail(Errc::not_supported, "{} is below {}", plan.to.text(), plan.from.text());
  TRY(check_may_create(ctx, plan.to));
  return plan;
}

Result<std::vector<meta::Renamed>> Rename::execute(const Plan& plan, Context& ctx) {
  TRY(make_superiors(ctx, plan.to));
  return ctx.back.store.rename(plan.from, plan.to);
}

void Rename::respond(const std::vector<meta::Renamed>& renamed, Context& ctx) {
  for (const meta::Renamed& one : renamed)
    LOG(notice, "mailbox.rename", {"conn", ctx.facts.session_id},
        {"user", ctx.conn.who.user.text()}, {"from", one.before.name.text()},
        {"mailbox", one.after.name.text()}, {"id", one.after.id.hex()});
}

// subscribe = "SUBSCRIBE" SP mailbox
Result<Subscribe::Request> Subscribe::parse(Cursor& in) {
  TRY(in.space());
  return Request{TRY(parse_mailbox(in))};
}

// The name need not be a mailbox's (RFC 9051 §6.3.7), but it must be able to be one.
Result<std::string> Subscribe::plan(const Request& request, Context& ctx) {
  const std::string_view name = without_separator(request.mailbox);
  const auto internal = TRY(ctx.internal_name(name));
  return ctx.names().to_client(internal);
}

Result<void> Subscribe::execute(const std::string& name, Context& ctx) {
  return ctx.back.meta.subscribe(ctx.conn.who.user, name);
}

// A subscription whose name can no longer be one can still be taken away.
Result<std::string> Unsubscribe::plan(const Request& request, Context& ctx) {
  auto name = Subscribe::plan(request, ctx);
  if (!name) return request.mailbox;
  return name;
}

Result<void> Unsubscribe::execute(const std::string& name, Context& ctx) {
  return ctx.back.meta.unsubscribe(ctx.conn.who.user, name);
}

}  // namespace postern::imap
