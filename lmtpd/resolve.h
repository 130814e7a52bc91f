// From an envelope recipient to the mailbox that its mail goes to, as known at RCPT.
#pragma once

#include <cstdint>

#include "lib/base/result.h"
#include "lib/meta/meta.h"
#include "lib/meta/recipient.h"
#include "lmtpd/backend.h"

namespace postern::lmtp {

/// Finds the mailbox of `wanted` for mail from `sender`. A user whom authentication knows but who
/// has no INBOX gets one, if lmtp.autocreate says so.
/// @error no_such_user, no_such_mailbox, no_permission
/// @error unavailable  and whatever else isn't the address's fault: never a 5xx
Result<meta::MailboxEntry> resolve(const Backend& backend, const meta::Recipient& wanted,
                                   const meta::Identity& sender);

/// Whether a message of `size` octets would pass the quota now. The store asks again when it
/// commits.
/// @error over_quota, unavailable
Result<void> check_quota(const Backend& backend, const meta::MailboxEntry& mailbox,
                         std::uint64_t size);

}  // namespace postern::lmtp
