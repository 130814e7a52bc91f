// Mailbox: one mailbox opened for reading (lock-free, from the mapped index) and for changes
// (each one lock, one log record, one commit). See doc/format.md and doc/locking.md.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/ids.h"
#include "lib/base/result.h"
#include "lib/meta/meta.h"
#include "lib/store/format.h"
#include "lib/store/types.h"
#include "lib/store/view.h"

namespace postern::store {

class Store;

/// Octets of one stored message, there for as long as this lives: a copy if it is small, mapped
/// read-only otherwise.
class MessageBytes {
 public:
  MessageBytes(MessageBytes&&) noexcept;
  MessageBytes& operator=(MessageBytes&&) noexcept;
  ~MessageBytes();
  [[nodiscard]] std::string_view bytes() const {
    return map_ == nullptr ? std::string_view(copy_) : std::string_view(map_, size_);
  }

 private:
  friend class Mailbox;
  MessageBytes() = default;
  std::string copy_;
  char* map_ = nullptr;
  std::size_t size_ = 0;  // of the map
};

/// Facts of one message from the cache, borrowed until the mailbox is refreshed or closed.
struct CachedFacts {
  std::string_view envelope;  // wire forms, ready to send (lib/mime)
  std::string_view bodystructure;
  std::string_view body;
  // The same with UTF-8 in quoted strings (RFC 9051, RFC 6855); the same octets where both agree.
  std::string_view envelope_utf8;
  std::string_view bodystructure_utf8;
  std::string_view body_utf8;
  std::string_view headers;   // those of header_is_cached(), as in the message, each with its CRLF
  std::string_view sections;  // a mime::SectionTable
  bool has_8bit_header = false;
  bool sections_reached_limit = false;  // mime::Message::limits_reached
};

/// Whether a message's fields of this name are all in CachedFacts::headers: then HEADER.FIELDS,
/// SORT and SEARCH need no message file. Any case.
bool header_is_cached(std::string_view name);

class Mailbox {
 public:
  ~Mailbox();

  [[nodiscard]] const MailboxId& id() const;
  [[nodiscard]] UidValidity uidvalidity() const;
  [[nodiscard]] MailboxStatus status() const;
  /// `value` of the change board taken before the last snapshot: what to park with.
  [[nodiscard]] std::uint64_t board_value() const;
  [[nodiscard]] std::uint32_t board_slot() const;

  // Snapshots.
  /// A view of everything that is live now. O(bitmap).
  [[nodiscard]] View snapshot();
  /// The view that `mark` describes.
  /// @error conflict  below floor_modseq, or exists comes out differently: the session gets BYE
  /// @error mailbox_deleted, corrupt
  Result<View> view_at(const ViewMark& mark);
  /// Moves `view` to now and says what to tell. Without `tell_expunges` expunged messages stay
  /// shown and are told later (RFC 9051 §7.5.1).
  /// @error mailbox_deleted, corrupt
  Result<Changes> advance(View& view, bool tell_expunges);
  /// A cheap look: has anything been committed since `view` last moved?
  [[nodiscard]] bool is_stale(const View& view) const;

  // Records: inline, they read mapped blocks; the first touch of a block verifies its checksums.
  // A record number is good until the next snapshot(), view_at(), advance() or change, since these
  // may move to a compacted index; Views move along by themselves.
  [[nodiscard]] Uid uid(RecNo record) const {
    return Uid(*cell<std::uint32_t>(record, column::kUid));
  }
  /// Never above the highestmodseq of the last snapshot. Read it BEFORE the flags: then flags may
  /// be newer than it says, never older.
  [[nodiscard]] ModSeq modseq(RecNo record) const {
    auto value = __atomic_load_n(cell<std::uint64_t>(record, column::kModseq), __ATOMIC_ACQUIRE);
    if (has_own_seen_) [[unlikely]]
      value = std::max(value, own_seen_modseq(record));
    return ModSeq(value < horizon_ ? value : horizon_);
  }
  [[nodiscard]] std::uint64_t size(RecNo record) const {
    return *cell<std::uint64_t>(record, column::kSize);
  }
  [[nodiscard]] std::int64_t internal_date(RecNo record) const {
    return *cell<std::int64_t>(record, column::kInternalDate);
  }
  [[nodiscard]] std::int16_t internal_zone(RecNo record) const {
    return *cell<std::int16_t>(record, column::kPlace, 4);
  }
  [[nodiscard]] std::int64_t sent_date(RecNo record) const {
    return *cell<std::int64_t>(record, column::kSentDate);
  }
  [[nodiscard]] std::int64_t save_date(RecNo record) const {
    return *cell<std::int64_t>(record, column::kSaveDate);
  }
  [[nodiscard]] Flags flags(RecNo record) const;
  /// System flags and the first 64 keywords only; `more` says whether flags() would give others.
  struct FlagWord {
    std::uint32_t system = 0;
    bool more = false;
    std::uint64_t keywords = 0;
  };
  [[nodiscard]] FlagWord flag_word(RecNo record) const {
    auto word = __atomic_load_n(cell<std::uint64_t>(record, column::kFlags), __ATOMIC_RELAXED);
    if (has_own_seen_) [[unlikely]]
      word = with_own_seen(record, word);
    return {
        .system = static_cast<std::uint32_t>(word & bits::kSystem),
        .more = __atomic_load_n(cell<std::uint32_t>(record, column::kMore), __ATOMIC_RELAXED) != 0,
        .keywords =
            __atomic_load_n(cell<std::uint64_t>(record, column::kKeywords), __ATOMIC_RELAXED)};
  }
  /// Everything immutable, its checksum verified.
  /// @error corrupt
  Result<Record> record(RecNo record) const;
  /// The record with the lowest uid >= `uid`; nothing beyond the last.
  [[nodiscard]] std::optional<RecNo> lower_bound(Uid uid) const;
  /// The record of exactly this uid, which may be a tombstone.
  [[nodiscard]] std::optional<RecNo> find(Uid uid) const {
    const auto record = lower_bound(uid);
    return record && this->uid(*record) == uid ? record : std::nullopt;
  }
  /// Live messages changed after `since` and uids expunged after it (QRESYNC, CHANGEDSINCE).
  struct Since {
    std::vector<RecNo> changed;
    std::vector<Uid> vanished;
    bool below_floor = false;  // `vanished` lacks some: every uid that isn't live may be meant
  };
  [[nodiscard]] Since changes_since(ModSeq since) const;
  /// The first message of `view` without \Seen. O(blocks).
  [[nodiscard]] std::optional<SeqNum> first_unseen(const View& view) const;

  // Keywords: names by number; grows only.
  [[nodiscard]] const std::vector<std::string>& keywords() const;
  [[nodiscard]] std::uint32_t max_keywords() const;

  // Content.
  /// Rebuilds a missing or damaged cache record in the same call.
  /// @error corrupt, expunged (the file is gone), io
  Result<CachedFacts> facts(RecNo record);
  /// @error expunged, io
  Result<MessageBytes> message(RecNo record);

  // Changes. Each takes the lock, commits one log record and is seen by everybody when it returns.
  /// For a reader with a \Seen of its own (Store::set_reader) that flag is changed and nobody
  /// else's.
  /// @error mailbox_deleted, in_use (lock not had in time), limit (keyword table full), io
  Result<FlagsStored> store_flags(std::span<const RecNo> records, const FlagChange& change);
  /// Expunges those of `records` that are still live; with `only_deleted`, that have \Deleted.
  /// Durable when it returns. Gives the uids, ascending, and the modseq.
  struct Expunged {
    std::vector<Uid> uids;
    ModSeq modseq;
  };
  Result<Expunged> expunge(std::span<const RecNo> records, bool only_deleted);
  /// Claims the messages above recent_uid as \Recent for this session: gives [first, last].
  Result<std::optional<std::pair<Uid, Uid>>> claim_recent();

  struct Impl;

 private:
  friend class Store;
  friend struct MailboxAccess;
  explicit Mailbox(std::unique_ptr<Impl> impl);

  template <typename T>
  const T* cell(RecNo record, std::uint32_t column_offset, std::size_t width = sizeof(T)) const {
    const std::uint32_t number = block::of(record.value());
    const char* base = number < blocks_.size() ? blocks_[number] : nullptr;
    if (base == nullptr) [[unlikely]]
      base = touch(number);
    return reinterpret_cast<const T*>(base + std::uint64_t{column_offset} * block::size(number) +
                                      block::slot(record.value()) * width);
  }
  const char* touch(std::uint32_t number) const;
  // Whether the index still has the record numbers of `view`: a compaction gives others.
  [[nodiscard]] bool has_records_of(const View& view) const;
  // What a reader who isn't the owner has instead of the row's: doc/format.md, "Seen".
  [[nodiscard]] std::uint64_t own_seen_modseq(RecNo record) const;
  [[nodiscard]] std::uint64_t with_own_seen(RecNo record, std::uint64_t flags) const;
  [[nodiscard]] std::optional<SeqNum> first_own_unseen(const View& view) const;
  [[nodiscard]] std::uint32_t own_unseen(const State& state) const;

  std::unique_ptr<Impl> impl_;
  mutable std::vector<char*> blocks_;  // verified blocks of the map, null: not touched yet
  std::uint64_t horizon_ = 0;          // highestmodseq of the last snapshot
  bool has_own_seen_ = false;          // for the present reader
};

}  // namespace postern::store
