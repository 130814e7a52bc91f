// Settles the list of actions at a script's end: duplicates go, contradictions are named.
#pragma once

#include "sieve/action.h"

namespace postern::sieve {

/// RFC 5228 §2.10.3: one copy a mailbox, one redirect an address; the same notification
/// once (RFC 5436 §2.7). The first place and the last flags win (RFC 5232 §3). `keep` and fileinto
/// "INBOX" are the same, unless the message is `stored` already and kept where it is.
void resolve(Outcome& outcome, bool stored);

}  // namespace postern::sieve
