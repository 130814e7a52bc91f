#include "lmtpd/resolve.h"

#include "lib/base/clock.h"
#include "lib/log/log.h"
#include "lib/store/provision.h"
#include "lmtpd/backend.h"

namespace postern::lmtp {
namespace {

constexpr std::int64_t kRemembered = 1000;  // ms
constexpr std::size_t kMostRooms = 10'000;  // mailboxes
constexpr std::uint64_t kPlenty = 100;      // times what is asked for

/// Only a name that nobody knows is refused for good (RFC 5321 §3.3: 550).
Result<void> make_inbox(const Backend& backend, const meta::UserName& user) {
  if (!backend.options.autocreate || !TRY(backend.auth.knows(user)))
    return fail(Errc::no_such_user, "{} is not known", user.text());
  TRY(store::provision_user(backend.store, backend.meta, user));
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

Result<QuotaGlance::Room> QuotaGlance::ask(meta::Meta& meta, const meta::MailboxEntry& mailbox) {
  Room room{steady_millis() + kRemembered, UINT64_MAX, UINT64_MAX};
  const auto root = TRY(meta.quota_root_of(mailbox.name));
  if (!root) return room;
  for (const auto& resource : root->resources) {
    if (!resource.limit) continue;
    const std::uint64_t left =
        *resource.limit > resource.usage ? *resource.limit - resource.usage : 0;
    if (resource.resource == meta::Resource::storage) room.octets = left;
    if (resource.resource == meta::Resource::message) room.messages = left;
  }
  return room;
}

Result<void> QuotaGlance::check(meta::Meta& meta, const meta::MailboxEntry& mailbox,
                                std::uint64_t size) {
  if (rooms_.size() > kMostRooms) rooms_.clear();
  Room& room = rooms_[mailbox.id];
  const bool plenty = room.octets / kPlenty > size && room.messages > kPlenty;
  if (!plenty || steady_millis() > room.until) room = TRY(ask(meta, mailbox));
  if (room.octets == 0 || size > room.octets || room.messages == 0)
    return fail(Errc::over_quota, "{} has room for {} octets and {} messages", mailbox.name.text(),
                room.octets, room.messages);
  return {};
}

}  // namespace postern::lmtp
