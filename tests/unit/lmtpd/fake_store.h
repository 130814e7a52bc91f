// A store in memory behind the real interface (lib/store/store.h), linked in place of the real one:
// tests of lmtpd look at what was delivered, and make single mailboxes fail.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lib/base/ids.h"
#include "lib/base/result.h"
#include "lib/store/types.h"

namespace postern::store::fake {

struct Message {
  std::string bytes;
  std::int64_t internal_date = 0;
  bool expunged = false;
  NamedFlags flags = {};
};

struct State {
  std::map<MailboxId, std::vector<Message>> mailboxes;
  std::map<MailboxId, Errc> failing;     // deliveries into them fail with this
  std::size_t fail_stage_at = SIZE_MAX;  // Staged::add fails beyond this size
  int deliver_calls = 0;
};

/// Of the store that was opened last.
State& state();

}  // namespace postern::store::fake
