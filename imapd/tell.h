// Telling a client what changed in its selected mailbox: EXISTS, RECENT, EXPUNGE, FETCH and FLAGS,
// each exactly when it is allowed (RFC 3501 §5.2, §5.5, §7.4.1; RFC 9051 §7.5.1).
#pragma once

#include <cstdint>
#include <memory>

#include "imapd/context.h"

namespace postern::imap {

/// Moves the session's view to now and tells the difference. Without `tell_expunges` expunged
/// messages stay shown and are told at a later call.
/// @error mailbox_deleted, corrupt, conflict (the view can't be held any longer): say BYE
Result<void> tell_changes(Context& ctx, bool tell_expunges);

/// Opens the mailbox that `conn.selected` describes, with the view that the client was told.
/// @error mailbox_deleted, conflict, corrupt, io
Result<std::unique_ptr<Selected>> reopen_selected(Context& ctx);

/// Takes the messages that are \Recent for this session (RFC 3501 §2.3.2).
Result<void> claim_recent(Context& ctx, Selected& selected);
/// How many of the messages shown are \Recent.
std::uint32_t recent_count(const Context& ctx, const Selected& selected);

/// "* FLAGS (…)" and, for a mailbox open for changes, PERMANENTFLAGS.
void tell_flag_names(Context& ctx, const Selected& selected);

}  // namespace postern::imap
