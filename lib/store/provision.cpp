#include "lib/store/provision.h"

#include <array>

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
                                          const meta::UserName& user) {
  TRY(meta.user(user, true));
  const auto inbox = meta::MailboxName::inbox_of(user);
  for (const auto& [name, use] : kUsual) {
    TRY(make_or_find(store, meta, TRY(inbox.child(name)), use));
    TRY(meta.subscribe(user, name));
  }
  TRY(meta.subscribe(user, "INBOX"));
  return make_or_find(store, meta, inbox, {});
}

}  // namespace postern::store
