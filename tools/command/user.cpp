// postern user add, del, list, passwd: passwords in sasldb, and what a new user starts with.
#include <fmt/format.h>

#include <algorithm>

#include "lib/auth/passwords.h"
#include "lib/log/log.h"
#include "lib/meta/recipient.h"
#include "lib/store/provision.h"
#include "tools/command/commands.h"
#include "tools/password.h"

namespace postern::tools {
namespace {

Result<meta::UserName> canonical(const std::string& text, const Context& context) {
  return meta::canonical_user(text, context.config().text("auth.default_domain"));
}

bool is_admin(const Context& context, const meta::UserName& user) {
  return std::ranges::any_of(context.config().list("auth.admins"), [&](const std::string& name) {
    const auto admin = canonical(name, context);
    return admin && *admin == user;
  });
}

/// Sessions that are open must not outlive a password.
Result<void> end_sessions(Context& context, const meta::UserName& user) {
  meta::Meta* const meta = TRY(context.meta());
  const auto bumped = meta->bump_generation(user);
  if (!bumped && bumped.error().code != Errc::no_such_user) return Error(bumped.error());
  // Without a server there are no sessions.
  static_cast<void>(context.ask_master("kick " + user.text()));
  return {};
}

Result<void> add_one(Context& context, const meta::UserName& user, const auth::Secret& password,
                     bool with_mailboxes) {
  TRY(auth::set_password(context.config(), user, password));
  meta::Meta* const meta = TRY(context.meta());
  TRY(meta->user(user, true));
  if (with_mailboxes)
    TRY(store::provision_user(*TRY(context.store()), *meta, user, is_admin(context, user)));
  LOG(notice, "user.add", {"user", user.text()});
  fmt::print("{}\n", user.text());
  return {};
}

Result<void> erase_mailboxes(Context& context, const meta::UserName& user) {
  meta::Meta* const meta = TRY(context.meta());
  store::Store* const store = TRY(context.store());
  auto entries = TRY(find_mailboxes(*meta, {meta::MailboxName::inbox_of(user).text()}, true));
  // Inferiors first: whoever stops in between leaves a tree that still has its INBOX.
  std::ranges::reverse(entries);
  for (const auto& entry : entries) {
    TRY(store->erase(entry));
    LOG(notice, "mailbox.change", {"how", "delete"}, {"mailbox", entry.name.text()},
        {"id", entry.id.hex()});
  }
  const auto erased = meta->erase_user(user);
  if (!erased && erased.error().code != Errc::no_such_user) return Error(erased.error());
  return {};
}

}  // namespace

Result<int> user_add(const Arguments& arguments, Context& context) {
  const auto known = TRY(auth::list_passwords(context.config()));
  std::vector<meta::UserName> users;
  for (const auto& text : arguments.list("user")) {
    users.push_back(TRY(canonical(text, context)));
    if (std::ranges::find(known, users.back()) != known.end())
      return fail(Errc::mailbox_exists, "{} has a password already: postern user passwd {}", text,
                  text);
  }
  const auth::Secret password = TRY(read_password("the new users"));
  for (const auto& user : users)
    TRY(add_one(context, user, password, !arguments.has("--no-mailboxes")));
  return 0;
}

Result<int> user_passwd(const Arguments& arguments, Context& context) {
  const auto user = TRY(canonical(arguments.text("user"), context));
  const auto known = TRY(auth::list_passwords(context.config()));
  if (std::ranges::find(known, user) == known.end())
    return fail(Errc::no_such_user, "{} has no password: postern user add {}", user.text(),
                user.text());
  TRY(auth::set_password(context.config(), user, TRY(read_password(user.text()))));
  TRY(end_sessions(context, user));
  return 0;
}

Result<int> user_delete(const Arguments& arguments, Context& context) {
  const auto user = TRY(canonical(arguments.text("user"), context));
  TRY(auth::erase_password(context.config(), user));
  LOG(notice, "user.delete", {"user", user.text()});
  TRY(end_sessions(context, user));
  if (arguments.has("--mailboxes")) TRY(erase_mailboxes(context, user));
  return 0;
}

Result<int> user_list(const Arguments&, Context& context) {
  for (const auto& user : TRY(auth::list_passwords(context.config())))
    fmt::print("{}\n", user.text());
  return 0;
}

}  // namespace postern::tools
