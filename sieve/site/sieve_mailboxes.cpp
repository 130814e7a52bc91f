#include "sieve/site/sieve_mailboxes.h"

#include <algorithm>

#include "lib/base/text.h"
#include "lib/meta/recipient.h"

namespace postern::site {
namespace {

/// An administrator's script sees what any user's does.
meta::Identity plain(meta::Identity who) {
  who.admin = false;
  return who;
}

bool is_missing(Errc code) { return code == Errc::no_such_mailbox; }

}  // namespace

bool has_special_use(std::string_view uses, std::string_view use) {
  return std::ranges::any_of(split(uses, ' '),
                             [&](std::string_view one) { return iequals(one, use); });
}

SieveMailboxes::SieveMailboxes(store::Store& store, meta::Meta& meta, const meta::Identity& user,
                               const meta::NamespacePrefixes& prefixes, bool autocreate)
    : store_(store), meta_(meta), names_(plain(user), prefixes), autocreate_(autocreate) {}

Result<meta::MailboxEntry> SieveMailboxes::deliverable(meta::MailboxEntry entry) const {
  if (entry.name.owner() == user()) return entry;
  const auto rights = entry.acl.rights_of(names_.who(), entry.name);
  if (rights.has(meta::Right::post)) return entry;
  if (!rights.has(meta::Right::lookup)) return fail(Errc::no_such_mailbox, "{}", entry.name.text());
  return fail(Errc::no_permission, "{}: no right to post", entry.name.text());
}

Result<meta::MailboxEntry> SieveMailboxes::named(std::string_view name) const {
  return deliverable(TRY(meta_.lookup(TRY(name_of(name)))));
}

Result<meta::MailboxEntry> SieveMailboxes::with_id(std::string_view id) const {
  const auto parsed = MailboxId::from_hex(id);
  if (!parsed) return fail(Errc::no_such_mailbox, "\"{}\" is no mailbox's id", id);
  return deliverable(TRY(meta_.lookup(*parsed)));
}

Result<meta::MailboxEntry> SieveMailboxes::with_special_use(std::string_view use) const {
  meta::ListScope scope;
  scope.who = names_.who();
  scope.roots.push_back(meta::MailboxName::inbox_of(user()));
  for (auto& listed : TRY(meta_.list(scope)))
    if (has_special_use(listed.entry.special_use, use)) return std::move(listed.entry);
  return fail(Errc::no_such_mailbox, "no mailbox is {}", use);
}

Result<meta::MailboxEntry> SieveMailboxes::make(const sieve::Target& target) const {
  const auto name = TRY(name_of(target.mailbox));
  if (name.owner() != user())
    return fail(Errc::no_permission, "{} is not in the user's own tree", name.text());
  const auto acl = TRY(meta::inherited_acl(meta_, name));
  auto made = store_.create(name, acl, target.special_use);
  if (made || made.error().code != Errc::mailbox_exists) return made;
  return meta_.lookup(name);  // another delivery was faster
}

Result<meta::MailboxEntry> SieveMailboxes::place(const sieve::Target& target) const {
  if (!target.mailbox_id.empty()) {
    auto found = with_id(target.mailbox_id);
    if (found || !is_missing(found.error().code)) return found;
  }
  if (!target.special_use.empty()) {
    auto found = with_special_use(target.special_use);
    if (found || !is_missing(found.error().code)) return found;
  }
  auto found = named(target.mailbox);
  if (found || !is_missing(found.error().code) || !(target.create || autocreate_)) return found;
  return make(target);
}

}  // namespace postern::site
