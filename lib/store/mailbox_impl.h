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
  std::optional<UserId> reader;  // who has a \Seen of its own here
  SeenOverlay* own_seen = nullptr;
  State head;                    // of the last snapshot
  std::uint64_t generation = 0;  // of the index that handed out the record numbers
  std::uint64_t board_value = 0;
  std::vector<std::uint64_t> verified_facts;               // bit r: cache record r was verified
  std::unordered_map<std::uint32_t, std::string> rebuilt;  // by record, where it couldn't be stored
};

/// Seconds that a DELETE under way is left alone.
constexpr std::int64_t kDeletePatience = 60;

/// Tells metad what the mailbox holds in `state` and when the cleaner has to come; without the
/// lock.
void report_usage(MailboxFiles& files, const State& state, meta::Reservation reservation = {});

MailboxStatus status_of(const State& state, UidValidity uidvalidity, std::uint32_t unseen);

/// For the room's own files.
struct MailboxAccess {
  static Mailbox* make(std::unique_ptr<Mailbox::Impl> impl) {
    return new Mailbox(std::move(impl));  // NOLINT: its constructor is private
  }
  static Mailbox::Impl& impl(const Mailbox& mailbox) { return *mailbox.impl_; }
  /// From now on \Seen is that of `reader`; nothing: the one that the rows have.
  /// @error io, in_use
  static Result<void> read_as(Mailbox& mailbox, const std::optional<UserId>& reader);
  /// The ranges of the present reader, null if it has none of its own.
  static const SeenRanges* own_seen(const Mailbox& mailbox);
  /// The flags of message `uid` as the reader has them.
  static std::uint64_t with_own_seen(const Mailbox& mailbox, std::uint32_t uid,
                                     std::uint64_t flags) {
    const SeenRanges* own = own_seen(mailbox);
    if (own == nullptr) return flags;
    return (flags & ~std::uint64_t{flag::seen}) | (own->seen(Uid(uid)) ? flag::seen : 0);
  }
  /// Adds the live ones of records [0, end) whose own \Seen was changed after `since`.
  static void add_own_changes(const Mailbox& mailbox, ModSeq since, std::uint32_t end,
                              std::vector<RecNo>& changed);
  /// What the reader's other sessions have changed.
  static void refresh_own_seen(const Mailbox& mailbox);
  /// Record numbers that were found before a compaction are those of other messages after it.
  /// @error unavailable  the index is another one since the last snapshot
  static Result<void> same_records(const Mailbox& mailbox);
  /// Takes the published state as the mailbox's own, e.g. after a change.
  static void set_head(Mailbox& mailbox, const State& state);
};

}  // namespace postern::store
