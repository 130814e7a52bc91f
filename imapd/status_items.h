// STATUS: its items and its answer, for STATUS itself and for LIST RETURN (STATUS …).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "imapd/context.h"
#include "imapd/cursor.h"
#include "lib/meta/meta.h"

namespace postern::imap {

enum class StatusItem : std::uint8_t {
  messages,
  recent,
  uidnext,
  uidvalidity,
  unseen,
  highestmodseq,
  size,
  deleted,
  deleted_storage,
  appendlimit,
  mailboxid,
};

/// "(" status-att *(SP status-att) ")"
Result<std::vector<StatusItem>> parse_status_items(Cursor& in);

/// Writes "* STATUS name (…)".
/// @error those of opening the mailbox; nothing is written then
Result<void> tell_status(Context& ctx, const meta::MailboxEntry& entry,
                         const std::vector<StatusItem>& items);

}  // namespace postern::imap
