// What a Mailbox holds. Internal to lib/store.
#pragma once

#include <unordered_map>

#include "lib/store/files.h"
#include "lib/store/mailbox.h"

namespace postern::store {

struct Mailbox::Impl {
  Impl(Shared& shared, std::string directory, const meta::MailboxEntry& listed)
      : entry(listed),
        files(shared, std::move(directory), listed.id, listed.partition, listed.uidvalidity) {}

  meta::MailboxEntry entry;
  MailboxFiles files;
  State head;                    // of the last snapshot
  std::uint64_t generation = 0;  // of the index that handed out the record numbers
  std::uint64_t board_value = 0;
  std::vector<std::uint64_t> verified_facts;               // bit r: cache record r was verified
  std::unordered_map<std::uint32_t, std::string> rebuilt;  // by record, where it couldn't be stored
};

/// Tells metad what the mailbox holds in `state`; without the lock.
void report_usage(MailboxFiles& files, const State& state, meta::Reservation reservation = {});

/// For the room's own files.
struct MailboxAccess {
  static Mailbox* make(std::unique_ptr<Mailbox::Impl> impl) {
    return new Mailbox(std::move(impl));  // NOLINT: its constructor is private
  }
  static Mailbox::Impl& impl(const Mailbox& mailbox) { return *mailbox.impl_; }
  /// Takes the published state as the mailbox's own, e.g. after a change.
  static void set_head(Mailbox& mailbox, const State& state);
};

}  // namespace postern::store
