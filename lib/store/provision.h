// What a new user starts with.
#pragma once

#include "lib/meta/meta.h"
#include "lib/store/store.h"

namespace postern::store {

/// Makes INBOX, Drafts, Sent, Junk, Trash and Archive (RFC 6154), with their special uses, and
/// subscribes them. What is there already stays as it is, so it may be repeated, also by two
/// processes at once. INBOX comes last: whoever sees one sees the others too. Gives the INBOX.
/// `admin`: the user administers the server, and so has other names for these mailboxes.
/// @error unavailable, over_quota, io
Result<meta::MailboxEntry> provision_user(Store& store, meta::Meta& meta,
                                          const meta::UserName& user, bool admin = false);

}  // namespace postern::store
