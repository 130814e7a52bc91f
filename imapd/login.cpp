// The end of a login: see login.h.
#include "imapd/login.h"

#include "imapd/capability.h"
#include "lib/base/clock.h"
#include "lib/log/log.h"
#include "lib/service/login.h"
#include "lib/store/provision.h"

namespace postern::imap {
namespace {

// A user who is known to authentication but has no INBOX gets one.
Result<void> provide_inbox(Context& ctx) {
  const auto inbox = meta::MailboxName::inbox_of(ctx.conn.who.user);
  const auto found = ctx.back.meta.lookup(inbox);
  if (found || found.error().code != Errc::no_such_mailbox) return {};
  TRY(store::provision_user(ctx.back.store, ctx.back.meta, ctx.conn.who.user));
  return {};
}

}  // namespace

auth::Channel channel_of(const Context& ctx) { return service::channel_of(ctx.facts, "imap"); }

std::uint64_t generation_of(const Context& ctx, const meta::UserName& user) {
  const auto record = ctx.back.meta.user(user, false);
  if (record) return record->generation;
  return record.error().code == Errc::no_such_user ? 0 : ctx.conn.user_generation;
}

Completion logged_in(Context& ctx, const auth::Login& login) {
  if (const auto counted = ctx.runtime.logged_in(login.identity.user.text()); !counted)
    return failed(ctx, counted.error());
  Connection& conn = ctx.conn;
  conn.who = login.identity;
  conn.authenticated_as = login.proxied() ? login.authenticated.text() : "";
  conn.state = Connection::State::authenticated;
  conn.failed_logins = 0;
  conn.bad_commands = 0;
  conn.login_at = wall_seconds();
  if (ctx.back.options.autocreate && !conn.who.admin && !conn.who.anonymous)
    if (const auto made = provide_inbox(ctx); !made)
      LOG(warning, "imap.provision", {"conn", ctx.facts.session_id}, {"user", conn.who.user.text()},
          {"error", made.error().text});
  conn.user_generation = generation_of(ctx, conn.who.user);
  service::log_login(ctx.facts, login, conn.client_id);
  ctx.begin_user();
  ctx.out.code("CAPABILITY " + capabilities(ctx));
  return {Completion::Kind::ok, "Logged in", {}};
}

Completion login_refused(Context& ctx, std::string_view mechanism, std::string_view user,
                         const Error& error) {
  Completion completion = failed(ctx, error);
  if (error.code != Errc::auth_failed) return completion;
  ++ctx.conn.failed_logins;
  completion.delay = ctx.runtime.login_failed(user);
  service::log_failed_login(ctx.facts, mechanism, user, error);
  return completion;
}

}  // namespace postern::imap
