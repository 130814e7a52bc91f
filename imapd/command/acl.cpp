// Access control lists: SETACL, DELETEACL, GETACL, LISTRIGHTS, MYRIGHTS (RFC 4314 §3).
#include "imapd/command/commands.h"
#include "imapd/grammar.h"
#include "imapd/responder.h"
#include "lib/base/text.h"
#include "lib/log/log.h"

namespace postern::imap {
namespace {

using meta::Right;

std::string astring(const Context& ctx, std::string_view text) {
  for (const char c : text)
    if (!is_atom_char(c)) {
      std::string out;
      append_string(out, text, ctx.conn.has(enabled::utf8));
      return out;
    }
  return std::string(text.empty() ? "\"\"" : text);
}

// An identifier is a user's name in its canonical form, or one of the special ones.
Result<std::string> canonical(std::string_view identifier) {
  const bool negative = identifier.starts_with('-');
  const std::string_view bare = identifier.substr(negative ? 1 : 0);
  std::string name(bare);
  if (bare != "anyone" && bare != "anonymous" && !bare.starts_with("group:")) {
    const auto user = meta::UserName::from_utf8(bare);
    if (!user) return fail(Errc::not_supported, "identifier {}", bare);
    name = user->text();
  }
  return (negative ? "-" : "") + name;
}

// RFC 4314 §3: MYRIGHTS and GETACL need more than l, so that ACLs aren't read by everybody.
Result<Found> find_for_administration(Context& ctx, std::string_view mailbox) {
  return ctx.find_with(mailbox, Right::administer);
}

meta::Rights present_rights(const meta::Acl& acl, std::string_view identifier) {
  for (const meta::AclEntry& entry : acl.entries())
    if (entry.identifier == identifier) return entry.rights;
  return {};
}

void log_acl(const Context& ctx, const meta::MailboxName& name, std::string_view identifier,
             meta::Rights rights) {
  LOG(notice, "mailbox.acl", {"conn", ctx.facts.session_id}, {"user", ctx.conn.who.user.text()},
      {"mailbox", name.text()}, {"identifier", identifier}, {"rights", rights.text(false)});
}

Result<AclChange> change_for(Context& ctx, std::string_view mailbox, std::string_view identifier) {
  const auto found = TRY(find_for_administration(ctx, mailbox));
  AclChange change;
  change.mailbox = found.entry.name;
  change.identifier = TRY(canonical(identifier));
  change.rights = present_rights(found.entry.acl, change.identifier);
  return change;
}

}  // namespace

// setacl = "SETACL" SP mailbox SP identifier SP mod-rights; mod-rights = ["+" / "-"] rights
Result<SetAcl::Request> SetAcl::parse(Cursor& in) {
  Request request;
  TRY(in.space());
  request.mailbox = TRY(parse_mailbox(in));
  TRY(in.space());
  request.identifier = TRY(parse_astring(in));
  TRY(in.space());
  const std::string rights = TRY(parse_astring(in));
  std::string_view letters = rights;
  if (letters.starts_with('+') || letters.starts_with('-')) {
    request.mode = letters.front();
    letters.remove_prefix(1);
  }
  // RFC 4314 §3.1: an unrecognised right makes the command BAD.
  auto parsed = meta::Rights::from_text(letters);
  if (!parsed) return fail(Errc::bad_syntax, "unknown right in \"{}\"", letters);
  request.rights = *parsed;
  return request;
}

Result<AclChange> SetAcl::plan(const Request& request, Context& ctx) {
  AclChange change = TRY(change_for(ctx, request.mailbox, request.identifier));
  if (request.mode == '+')
    change.rights = change.rights | request.rights;
  else if (request.mode == '-')
    change.rights = change.rights - request.rights;
  else
    change.rights = request.rights;
  return change;
}

Result<void> SetAcl::execute(const AclChange& change, Context& ctx) {
  TRY(ctx.back.meta.set_acl(change.mailbox, change.identifier, change.rights));
  // The mailbox's own copy, for rebuild-list; what fails here is done with the next change.
  static_cast<void>(ctx.back.store.drain_outbox());
  log_acl(ctx, change.mailbox, change.identifier, change.rights);
  return {};
}

// deleteacl = "DELETEACL" SP mailbox SP identifier
Result<DeleteAcl::Request> DeleteAcl::parse(Cursor& in) {
  Request request;
  TRY(in.space());
  request.mailbox = TRY(parse_mailbox(in));
  TRY(in.space());
  request.identifier = TRY(parse_astring(in));
  return request;
}

Result<AclChange> DeleteAcl::plan(const Request& request, Context& ctx) {
  AclChange change = TRY(change_for(ctx, request.mailbox, request.identifier));
  change.rights = {};
  return change;
}

// getacl = "GETACL" SP mailbox
Result<GetAcl::Request> GetAcl::parse(Cursor& in) {
  TRY(in.space());
  return Request{TRY(parse_mailbox(in))};
}

Result<Found> GetAcl::plan(const Request& request, Context& ctx) {
  return find_for_administration(ctx, request.mailbox);
}

void GetAcl::respond(const Found& found, Context& ctx) {
  std::string lines;
  for (const meta::AclEntry& entry : found.entry.acl.entries())
    lines += fmt::format(" {} {}", astring(ctx, entry.identifier), entry.rights.text());
  ctx.out.untagged("ACL ", ctx.wire_name(found.entry.name), lines);
}

// myrights = "MYRIGHTS" SP mailbox
Result<Found> MyRights::plan(const Request& request, Context& ctx) {
  return ctx.find(request.mailbox);
}

void MyRights::respond(const Found& found, Context& ctx) {
  ctx.out.untagged("MYRIGHTS ", ctx.wire_name(found.entry.name), " ", found.rights.text());
}

// listrights = "LISTRIGHTS" SP mailbox SP identifier
Result<ListRights::Request> ListRights::parse(Cursor& in) { return DeleteAcl::parse(in); }

Result<ListRights::Plan> ListRights::plan(const Request& request, Context& ctx) {
  auto found = TRY(find_for_administration(ctx, request.mailbox));
  auto identifier = TRY(canonical(request.identifier));
  return Plan{std::move(found.entry), std::move(identifier)};
}

// The owner always has l and a; every other right can be given or not by itself, except that k and
// x are what c is, and t, e what d is (RFC 4314 §2.1.1).
void ListRights::respond(const Plan& plan, Context& ctx) {
  const bool owner = plan.identifier == plan.entry.name.owner().text();
  ctx.out.untagged("LISTRIGHTS ", ctx.wire_name(plan.entry.name), " ",
                   astring(ctx, plan.identifier), owner ? " la" : " \"\"",
                   owner ? " r s w i p k x t e n" : " l r s w i p k x t e a n");
}

}  // namespace postern::imap
