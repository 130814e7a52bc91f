// The store's values: flags, records, views, changes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/ids.h"

namespace postern::store {

/// Position of a message's record in the index, 0-based, in uid order; never reused in one
/// generation of the index.
using RecNo = Strong<struct RecNoTag, std::uint32_t>;
/// Number of a keyword in the mailbox's keyword table; 0..63 are bits of Flags::keywords.
using KeywordNo = Strong<struct KeywordNoTag, std::uint16_t>;

namespace flag {
inline constexpr std::uint32_t seen = 1, answered = 2, flagged = 4, deleted = 8, draft = 16;
inline constexpr std::uint32_t all = 31;
}  // namespace flag

/// Flags of one message. `more` (keywords from 64 on, ascending) is nearly always empty.
struct Flags {
  std::uint32_t system = 0;
  std::uint64_t keywords = 0;
  std::vector<KeywordNo> more;
  friend bool operator==(const Flags&, const Flags&) = default;
};

/// The flags of a message that is about to be stored: keywords by name, UTF-8 as given.
struct NamedFlags {
  std::uint32_t system = 0;
  std::vector<std::string> keywords = {};
};

/// What a copy takes along of a message's flags: the rest of them stays behind.
struct CarriedFlags {
  std::uint32_t system = flag::all;
  bool keywords = true;
};

/// The part of a record that never changes.
struct Record {
  Uid uid;
  std::uint64_t size = 0;          // RFC822.SIZE, octets of the file
  std::int64_t internal_date = 0;  // seconds UTC
  std::int16_t internal_zone = 0;  // minutes east of UTC, as given at APPEND
  std::int64_t sent_date = 0;      // the Date field, seconds UTC; internal_date without one
  std::int64_t save_date = 0;      // seconds UTC (RFC 8514)
  Guid guid;
  std::uint64_t thread_id = 0;  // 0: not assigned yet, never announced
};

/// What a session has told its client of a mailbox; survives parking. The messages shown are those
/// with uid < told_uidnext that are live or were expunged after told_expunge, in uid order.
struct ViewMark {
  MailboxId mailbox;
  UidValidity uidvalidity;
  Uid told_uidnext;
  ModSeq told_expunge;
  ModSeq told_change;
  std::uint32_t exists = 0;  // check: must come out the same when the view is rebuilt
};

struct MailboxStatus {
  std::uint32_t exists = 0;
  std::uint32_t unseen = 0;
  std::uint32_t deleted = 0;
  std::uint64_t bytes = 0;  // of live messages
  std::uint64_t deleted_bytes = 0;
  Uid uidnext;
  UidValidity uidvalidity;
  ModSeq highestmodseq;
  Uid recent_uid;  // highest uid ever told as \Recent
};

/// What happened since a view last moved.
struct Changes {
  std::vector<SeqNum> expunged;  // as EXPUNGE lines in this order: each number counts after
                                 // the ones before it were taken out
  std::vector<Uid> vanished;     // the same messages, ascending
  std::vector<RecNo> changed;    // flags changed after told_change, ascending, still shown
  bool grown = false;            // exists has risen: new messages at the end
  std::uint32_t exists = 0;      // now
  ModSeq highestmodseq;          // of the snapshot
};

struct Appended {
  Uid uid;
  UidValidity uidvalidity;
  ModSeq modseq;
  Guid guid;
};

struct Copied {
  UidValidity uidvalidity;  // of the destination
  std::vector<Uid> source;  // pairs with `destination`, both ascending
  std::vector<Uid> destination;
  ModSeq modseq;  // of the source after a MOVE, of the destination after a COPY
};

enum class FlagOp : std::uint8_t { replace, add, remove };

struct FlagChange {
  FlagOp op = FlagOp::add;
  NamedFlags flags;
  /// RFC 7162 §3.1.3: messages whose modseq is above this are left alone.
  std::optional<ModSeq> unchanged_since = std::nullopt;
};

struct FlagsStored {
  std::vector<RecNo> changed;  // really changed, ascending
  std::vector<Uid> modified;   // failed unchanged_since, ascending
  std::vector<Uid> expunged;   // gone meanwhile: not changed
  ModSeq modseq;               // of the change; the former highestmodseq if nothing changed
};

}  // namespace postern::store
