#include "lib/store/provision.h"

#include <array>

#include "lib/log/log.h"
#include "lib/meta/namespace.h"

namespace postern::store {
namespace {

struct Usual {
  std::string_view name;
  std::string_view special_use;
};

// RFC 6154 §2
constexpr std::array kUsual{
    Usual{"Drafts", "\\Drafts"}, Usual{"Sent", "\\Sent"},       Usual{"Junk", "\\Junk"},
    Usual{"Trash", "\\Trash"},   Usual{"Archive", "\\Archive"},
};

Result<meta::MailboxEntry> make_or_find(Store& store, meta::Meta& meta,
                                        const meta::MailboxName& name, std::string_view use) {
  auto made = store.create(name, meta::Acl::standard_for(name), use);
  if (made || made.error().code != Errc::mailbox_exists) return made;
  return meta.lookup(name);
}

}  // namespace

Result<meta::MailboxEntry> provision_user(Store& store, meta::Meta& meta,
                                          const meta::UserName& user, bool admin) {
  TRY(meta.user(user, true));
  const auto inbox = meta::MailboxName::inbox_of(user);
  // Subscriptions are the client's names; no prefix of other namespaces is in these.
  const meta::Namespace names({.user = user, .admin = admin});
  for (const auto& [name, use] : kUsual) {
    const auto mailbox = TRY(inbox.child(name));
    TRY(make_or_find(store, meta, mailbox, use));
    TRY(meta.subscribe(user, names.to_client(mailbox)));
  }
  TRY(meta.subscribe(user, "INBOX"));
  auto made = TRY(make_or_find(store, meta, inbox, {}));
  LOG(notice, "user.provision", {"user", user.text()}, {"mailbox", made.name.text()});
  return made;
}

}  // namespace postern::store
