// A script over the messages that a mailbox already holds. What it does there is what the store
// does for any session: each copy, move, flag change and expunge is one commit, copies come before
// anything goes away, and sessions that have the mailbox open are told.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/store/store.h"
#include "sieve/sieve.h"
#include "sieve/site/sieve_host.h"

namespace postern::tools {

/// What becomes of one message. Mail that a script sends is not sent again for a stored message;
/// such actions are left out, and the message stays.
struct FilterVerdict {
  struct Copy {
    meta::MailboxEntry mailbox;
    std::optional<store::NamedFlags> flags;  // nothing: those of the message
    std::size_t version = 0;                 // index into Outcome::versions
  };
  bool stays = false;
  bool discarded = false;                  // and no copy: \Deleted, or expunged
  std::optional<store::NamedFlags> flags;  // of the message that stays; nothing: as they are
  std::vector<Copy> copies;
  std::vector<std::string> left_out;  // why an action isn't done
};

struct FilterOptions {
  std::shared_ptr<const sieve::Script> script;
  std::string user_address;  // envelope recipient of messages without Delivered-To
  bool dry_run = false;
  bool expunge = false;  // what is discarded goes for good, instead of getting \Deleted
};

class MailboxFilter {
 public:
  /// All outlive this.
  MailboxFilter(store::Store& store, site::SieveHost& host, const site::SieveMailboxes& mailboxes,
                FilterOptions options)
      : store_(store), host_(host), mailboxes_(mailboxes), options_(std::move(options)) {}

  struct Done {
    Uid uid;
    sieve::Outcome outcome;
    FilterVerdict verdict;
    std::optional<Error> error;  // it couldn't be carried out; the message is still there
  };
  /// Calls `tell` for each message, in the order of uids. A message that goes away meanwhile is
  /// passed over.
  /// @error mailbox_deleted, corrupt, io  of the mailbox as a whole
  template <typename Tell>
  Result<void> run(const meta::MailboxEntry& source, Tell&& tell) {
    const auto opened = TRY(store_.open_mailbox(source));
    for (const Uid uid : uids_of(*opened))
      if (auto done = filter(source, *opened, uid)) tell(*done);
    return {};
  }

 private:
  static std::vector<Uid> uids_of(store::Mailbox& mailbox);
  std::optional<Done> filter(const meta::MailboxEntry& source, store::Mailbox& mailbox, Uid uid);
  void decide(const meta::MailboxEntry& source, Done& done);
  Result<void> carry_out(store::Mailbox& mailbox, const Done& done);
  Result<void> copy(store::Mailbox& mailbox, const Done& done, const FilterVerdict::Copy& copy);

  store::Store& store_;
  site::SieveHost& host_;
  const site::SieveMailboxes& mailboxes_;
  FilterOptions options_;
};

}  // namespace postern::tools
