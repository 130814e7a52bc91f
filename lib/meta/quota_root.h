// What administrators may name as a quota root.
#pragma once

#include "lib/base/result.h"
#include "lib/meta/meta.h"
#include "lib/meta/name.h"

namespace postern::meta {

/// A root that is new must be a mailbox, as in Cyrus: a mistyped name would make one that limits
/// nothing. One that is there, wherever it came from, may be changed.
/// @error no_such_mailbox
Result<void> check_quota_root(Meta& meta, const MailboxName& root);

}  // namespace postern::meta
