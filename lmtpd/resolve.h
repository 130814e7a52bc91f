// From an envelope recipient to the mailbox that its mail goes to, as known at RCPT.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "lib/base/ids.h"
#include "lib/base/result.h"
#include "lib/meta/meta.h"
#include "lib/meta/recipient.h"

namespace postern::lmtp {

struct Backend;

/// Finds the mailbox of `wanted` for mail from `sender`. A user whom authentication knows but who
/// has no INBOX gets one, if lmtp.autocreate says so.
/// @error no_such_user, no_such_mailbox, no_permission
/// @error unavailable  and whatever else isn't the address's fault: never a 5xx
Result<meta::MailboxEntry> resolve(const Backend& backend, const meta::Recipient& wanted,
                                   const meta::Identity& sender);

/// Whether mail would pass a quota, as far as RCPT wants to know: the store asks again when it
/// commits. Where there is room in plenty metad is asked once a second, not for each message.
class QuotaGlance {
 public:
  /// @error over_quota  a message of `size` octets would not fit now
  /// @error unavailable
  Result<void> check(meta::Meta& meta, const meta::MailboxEntry& mailbox, std::uint64_t size);

 private:
  struct Room {
    std::int64_t until = 0;  // steady milliseconds; then it is forgotten
    std::uint64_t octets = 0;
    std::uint64_t messages = 0;
  };
  Result<Room> ask(meta::Meta& meta, const meta::MailboxEntry& mailbox);

  std::unordered_map<MailboxId, Room> rooms_;
};

}  // namespace postern::lmtp
