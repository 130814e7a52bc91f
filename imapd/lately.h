// Lately: what metad said of mailboxes and users a moment ago. A session that is parked and woken
// again asks no more often than one that stays awake: an answer is believed for
// imap.rights_refresh.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>

#include "imapd/options.h"
#include "lib/base/ids.h"
#include "lib/base/result.h"
#include "lib/meta/meta.h"

namespace postern::imap {

class Lately {
 public:
  struct Mailbox {
    meta::MailboxEntry entry;
    std::int64_t looked_at = 0;  // steady milliseconds
  };

  /// Both outlive it.
  Lately(meta::Meta& meta, const Options& options) : meta_(meta), options_(options) {}

  /// @error no_such_mailbox, and what metad's connection may say
  Result<Mailbox> mailbox(const MailboxId& id);
  /// Whether the user's generation, which is raised when the account changes, still is `expected`.
  /// True also when metad doesn't answer.
  bool same_generation(const meta::UserName& user, std::uint64_t expected);
  void forget();

 private:
  struct Generation {
    std::uint64_t value = 0;
    std::int64_t looked_at = 0;
  };

  meta::Meta& meta_;
  const Options& options_;
  std::unordered_map<MailboxId, Mailbox> mailboxes_;
  std::map<std::string, Generation> generations_;
};

}  // namespace postern::imap
