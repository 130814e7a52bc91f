#include "imapd/lately.h"

#include "lib/base/clock.h"

namespace postern::imap {
namespace {

constexpr std::size_t kMost = 256;  // entries; then all are forgotten

}  // namespace

Result<Lately::Mailbox> Lately::mailbox(const MailboxId& id) {
  const std::int64_t now = steady_millis();
  const auto known = mailboxes_.find(id);
  if (known != mailboxes_.end() && now - known->second.looked_at < options_.rights_refresh.count())
    return known->second;
  if (mailboxes_.size() >= kMost) mailboxes_.clear();
  mailboxes_.erase(id);
  Mailbox fresh{TRY(meta_.lookup(id)), now};
  return mailboxes_.emplace(id, std::move(fresh)).first->second;
}

bool Lately::same_generation(const meta::UserName& user, std::uint64_t expected) {
  const std::int64_t now = steady_millis();
  const auto known = generations_.find(user.text());
  // Another value may be the newer one or an older one of ours: only metad can tell.
  if (known != generations_.end() && known->second.value == expected &&
      now - known->second.looked_at < options_.rights_refresh.count())
    return true;
  const auto record = meta_.user(user, false);
  if (!record && record.error().code != Errc::no_such_user) return true;
  if (generations_.size() >= kMost) generations_.clear();
  const std::uint64_t value = record ? record->generation : 0;
  generations_[user.text()] = {value, now};
  return value == expected;
}

void Lately::forget() {
  mailboxes_.clear();
  generations_.clear();
}

}  // namespace postern::imap
