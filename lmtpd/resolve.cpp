#include "lmtpd/resolve.h"

#include "lib/log/log.h"
#include "lib/store/provision.h"

namespace postern::lmtp {
namespace {

/// Only a name that nobody knows is refused for good (RFC 5321 §3.3: 550).
Result<void> make_inbox(const Backend& backend, const meta::UserName& user) {
  if (!backend.options.autocreate || !TRY(backend.auth.knows(user)))
    return fail(Errc::no_such_user, "{} is not known", user.text());
  const auto inbox = TRY(store::provision_user(backend.store, backend.meta, user));
  LOG(notice, "user.provision", {"user", user.text()}, {"mailbox", inbox.name.text()});
  return {};
}

}  // namespace

Result<meta::MailboxEntry> resolve(const Backend& backend, const meta::Recipient& wanted,
                                   const meta::Identity& sender) {
  auto entry = meta::resolve_recipient(backend.meta, wanted, sender);
  if (entry || entry.error().code != Errc::no_such_user) return entry;
  TRY(make_inbox(backend, wanted.user));
  return meta::resolve_recipient(backend.meta, wanted, sender);
}

Result<void> check_quota(const Backend& backend, const meta::MailboxEntry& mailbox,
                         std::uint64_t size) {
  const auto root = TRY(backend.meta.quota_root_of(mailbox.name));
  if (!root) return {};
  for (const auto& resource : root->resources) {
    const bool storage = resource.resource == meta::Resource::storage;
    if (!resource.limit || (!storage && resource.resource != meta::Resource::message)) continue;
    const std::uint64_t more = storage ? size : 1;
    if (resource.usage + more > *resource.limit)
      return fail(Errc::over_quota, "quota root {} is at {} of {}", root->root.text(),
                  resource.usage, *resource.limit);
  }
  return {};
}

}  // namespace postern::lmtp
