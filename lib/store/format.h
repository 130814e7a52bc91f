// The files of a mailbox as they lie on disk: field for field what doc/format.md says.
// Little-endian, mapped as they are.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "lib/base/crc32c.h"
#include "lib/base/ids.h"
#include "lib/base/result.h"
#include "lib/store/types.h"

namespace postern::store {

// doc/format.md, "Preamble": the first 64 bytes of index, log, cache, keywords, header
// and seen.*.
struct Preamble {
  std::array<char, 8> magic{};
  std::uint16_t format = 1;
  std::uint16_t min_reader = 1;
  std::uint32_t partition = 0;  // CRC-32C of the partition's name
  std::array<unsigned char, 16> mailbox{};
  std::uint64_t generation = 1;
  std::int64_t created = 0;  // seconds UTC
  std::uint32_t uidvalidity = 0;
  std::uint32_t reserved[2] = {0, 0};
  std::uint32_t crc = 0;  // of the 60 bytes before
};
static_assert(sizeof(Preamble) == 64);

inline constexpr std::string_view kIndexMagic{"PSTNIDX\n", 8}, kLogMagic{"PSTNLOG\n", 8},
    kCacheMagic{"PSTNCCH\n", 8}, kKeywordsMagic{"PSTNKWD\n", 8}, kHeaderMagic{"PSTNHDR\n", 8},
    kSeenMagic{"PSTNSEE\n", 8};
inline constexpr std::uint16_t kFormat = 1;

Preamble make_preamble(std::string_view magic, const MailboxId& mailbox, std::string_view partition,
                       std::uint64_t generation, UidValidity uidvalidity);
/// @error corrupt        wrong magic, checksum or mailbox
/// @error not_supported  written by a later version that this one can't read
Result<void> check_preamble(const Preamble& preamble, std::string_view magic,
                            const MailboxId& mailbox, std::string_view path);

// doc/format.md, "State": what a commit publishes. Two copies in the index (each in a sector of its
// own), one in each checkpoint record of the log.
struct State {
  std::uint64_t commit = 0;  // number of this state; its parity says which copy it is
  std::uint64_t highestmodseq = 1;
  std::uint64_t highest_expunge = 0;  // modseq of the last expunge
  std::uint64_t floor_modseq = 0;     // all tombstones with a higher modseq are there
  std::uint32_t count = 0;            // records, tombstones included
  std::uint32_t uidnext = 1;
  std::uint32_t next_uid = 1;  // first uid that isn't reserved
  std::uint32_t next_record = 0;
  std::uint32_t exists = 0, unseen = 0, deleted = 0;
  std::uint32_t recent_uid = 0;
  std::uint64_t bytes = 0, deleted_bytes = 0;
  std::uint64_t log_generation = 1;
  std::uint64_t applied = 0;  // offset in that log behind the last record in the index
  std::uint64_t cache_end = 0;
  std::uint64_t keywords_end = 0;
  std::uint32_t keyword_count = 0;
  std::uint32_t set_count = 0;
  std::uint64_t next_txn = 1;
  std::uint64_t modseq_lease = 0;          // durable: modseqs below it may be issued
  std::uint64_t modseq_lease_written = 0;  // in the log, perhaps not yet on disk
  std::uint32_t uid_lease = 0;
  std::uint32_t uid_lease_written = 0;
  std::uint32_t uidvalidity = 0;
  std::uint32_t mode = 0;      // Mode
  std::int64_t mode_time = 0;  // seconds UTC
  std::uint32_t open_intents = 0;
  std::uint32_t settled = 0;         // 1: a settled record ends the log, the index on disk is whole
  std::uint64_t lease_position = 0;  // log offset that must be on disk for *_lease_written
  std::int64_t first_expunge = 0;  // seconds UTC of the earliest expunge whose file is still there
  std::uint64_t index_generation = 1;  // whose record numbers the log's records mean
  std::uint32_t seen = 0;              // 1: other users than the owner have a \Seen of their own
  std::uint32_t reserved[8] = {};
  std::uint32_t crc = 0;  // of everything before
};
static_assert(sizeof(State) == 240);

enum Mode : std::uint32_t { kLive = 0, kDeleting = 1, kReadOnly = 2 };

void seal(State& state);
bool is_sealed(const State& state);

// doc/format.md, "Block summary".
struct Summary {
  std::uint32_t live = 0, unseen = 0, deleted = 0;
  std::uint32_t crc = 0;  // of the rest, seeded with the block's number
  std::uint64_t bytes = 0, deleted_bytes = 0;
  std::uint64_t max_modseq = 0;
  std::uint64_t max_expunge = 0;  // highest modseq of a tombstone in the block
  std::uint32_t first_uid = 0, last_uid = 0;
  std::uint64_t reserved = 0;
};
static_assert(sizeof(Summary) == 64);

// doc/format.md, "Reservation": uids given out and not yet published.
struct UidReservation {
  std::uint32_t uid = 0;  // the first
  std::uint32_t count = 0;
  std::uint32_t record = 0;
  std::uint32_t state = 0;  // ReservationState; 0: the slot is free
  std::uint64_t txn = 0;    // of the prepare record, 0 without one
  std::uint32_t pid = 0;    // for messages only: the byte lock at 2^40+uid decides who lives
  std::uint32_t crc = 0;
};
static_assert(sizeof(UidReservation) == 32);
enum ReservationState : std::uint32_t { kFree = 0, kReserved = 1, kReady = 2, kBurned = 3 };

// doc/format.md, "Index": the first page.
inline constexpr std::size_t kReservations = 64;
struct IndexPage {
  Preamble preamble;
  std::uint64_t commit;       // number of the published state
  std::uint64_t writing;      // kWriting while a commit is under way
  std::uint64_t superseded;   // kSuperseded once another generation has taken the name
  std::array<char, 16> boot;  // kernel under which the index was last written
  char pad0[512 - 104];
  State state0;
  char pad1[512 - sizeof(State)];
  State state1;
  char pad2[512 - sizeof(State)];
  std::uint64_t live[16];  // bitmap of records 0..1023
  Summary summaries[6];
  UidReservation reservations[kReservations];
};
static_assert(sizeof(IndexPage) == 4096);
static_assert(offsetof(IndexPage, state0) == 512 && offsetof(IndexPage, live) == 1536);
inline constexpr std::uint64_t kWriting = 0x574e495449525750, kSuperseded = 0x4445444553525553;

// doc/format.md, "Blocks": 32, 32, 64, 128, 256, 512 records, then 1,024 for ever; from record 1024
// on in groups of 64 blocks, each group behind its bitmap and summaries.
namespace block {
inline constexpr std::uint32_t kSmall = 6, kPerGroup = 64, kFull = 1024;
inline constexpr std::uint64_t kRow = 120, kPage = 4096;
inline constexpr std::uint64_t kFullBytes = kRow * kFull;  // 30 pages
inline constexpr std::uint64_t kGroupMeta =
    kPerGroup * (kFull / 8) + kPerGroup * sizeof(Summary);  // 3 pages
inline constexpr std::uint64_t kGroupBytes = kGroupMeta + kPerGroup * kFullBytes;

constexpr std::uint32_t of(std::uint32_t record) {
  if (record >= kFull) return kSmall + (record - kFull) / kFull;
  return record < 32 ? 0 : static_cast<std::uint32_t>(std::bit_width(record)) - 5;
}
constexpr std::uint32_t first(std::uint32_t number) {
  if (number >= kSmall) return kFull + (number - kSmall) * kFull;
  return number == 0 ? 0 : 16U << number;
}
constexpr std::uint32_t size(std::uint32_t number) {
  if (number >= kSmall) return kFull;
  return number == 0 ? 32 : 16U << number;
}
constexpr std::uint32_t slot(std::uint32_t record) { return record - first(of(record)); }
constexpr std::uint64_t bytes(std::uint32_t number) {
  return (kRow * size(number) + kPage - 1) / kPage * kPage;
}
constexpr std::uint64_t small_end() {
  std::uint64_t end = kPage;
  for (std::uint32_t b = 0; b < kSmall; ++b) end += bytes(b);
  return end;
}
constexpr std::uint64_t group_offset(std::uint32_t group) {
  return small_end() + group * kGroupBytes;
}
constexpr std::uint64_t offset(std::uint32_t number) {
  if (number >= kSmall) {
    const std::uint32_t n = number - kSmall;
    return group_offset(n / kPerGroup) + kGroupMeta + n % kPerGroup * kFullBytes;
  }
  std::uint64_t at = kPage;
  for (std::uint32_t b = 0; b < number; ++b) at += bytes(b);
  return at;
}
/// Length of an index file that holds records [0, count).
constexpr std::uint64_t file_size(std::uint32_t count) {
  const std::uint32_t last = count == 0 ? 0 : of(count - 1);
  return offset(last) + bytes(last);
}
/// Blocks that hold records [0, count).
constexpr std::uint32_t count(std::uint32_t records) {
  return records == 0 ? 0 : of(records - 1) + 1;
}
constexpr std::uint64_t summary_offset(std::uint32_t number) {
  if (number < kSmall) return offsetof(IndexPage, summaries) + number * sizeof(Summary);
  const std::uint32_t n = number - kSmall;
  return group_offset(n / kPerGroup) + kPerGroup * (kFull / 8) + n % kPerGroup * sizeof(Summary);
}
/// Offset of the word of the live bitmap that holds records 64*word .. 64*word+63.
constexpr std::uint64_t bitmap_offset(std::uint32_t word) {
  if (word < 16) return offsetof(IndexPage, live) + word * 8;
  const std::uint32_t n = word - 16;  // 1,024 words a group
  return group_offset(n / 1024) + n % 1024 * 8;
}
/// How many words from this one on lie side by side.
constexpr std::uint32_t bitmap_run(std::uint32_t word) {
  return word < 16 ? 16 - word : 1024 - (word - 16) % 1024;
}
}  // namespace block

// doc/format.md, "Row": the columns of a block with n records, each n times its width, in this
// order.
namespace column {
inline constexpr std::uint32_t kFlags = 0, kKeywords = 8, kModseq = 16, kThread = 24, kCache = 32,
                               kMore = 40, kUid = 44, kCrc = 48, kPlace = 52, kSize = 56,
                               kInternalDate = 64, kSentDate = 72, kSaveDate = 80, kGuid = 88;
}

/// A block in the map: gives the columns.
struct BlockPtr {
  char* base = nullptr;
  std::uint32_t n = 0;

  template <typename T>
  [[nodiscard]] T* at(std::uint32_t column, std::uint32_t slot) const {
    return reinterpret_cast<T*>(base + std::uint64_t{column} * n) + slot;
  }
};

// Bits of the flags word (doc/format.md, "Flags word").
namespace bits {
inline constexpr std::uint64_t kSystem = flag::all, kExpunged = 1 << 5, kBurned = 1 << 6,
                               kFileGone = 1 << 7;
inline constexpr unsigned kTimeShift = 8, kCheckShift = 48;
inline constexpr std::uint64_t kCheck = std::uint64_t{0xFFFF} << kCheckShift;
inline constexpr std::uint64_t kTime = std::uint64_t{0xFFFFFFFF} << kTimeShift;
}  // namespace bits

/// One record with all its columns, as the log carries it and as recovery compares it.
struct Row {
  std::uint64_t flags = 0;  // without the check bits
  std::uint64_t keywords = 0;
  std::uint64_t modseq = 0;
  std::uint64_t thread = 0;
  std::uint64_t cache = 0;  // offset of the cache record, 0: none
  std::uint32_t more = 0;   // number of the set of keywords over 63, 0: none
  std::uint32_t uid = 0;
  std::int16_t zone = 0;  // minutes east
  std::uint8_t place = 0, encoding = 0;
  std::uint32_t reserved = 0;
  std::uint64_t size = 0;
  std::int64_t internal_date = 0, sent_date = 0, save_date = 0;
  Guid guid;
  friend bool operator==(const Row&, const Row&) = default;
};
static_assert(sizeof(Row) == 120);

/// The 16 check bits over uid and everything mutable but the cache offset.
std::uint16_t check_bits(std::uint32_t uid, std::uint64_t flags, std::uint64_t keywords,
                         std::uint64_t modseq, std::uint32_t more, std::uint64_t thread);
/// Of the immutable columns.
std::uint32_t immutable_crc(const Row& row);
Row load_row(BlockPtr block, std::uint32_t slot);
/// Flags before modseq; the caller makes it visible by raising the count.
void store_row(BlockPtr block, std::uint32_t slot, const Row& row);
/// Whether the check bits are right for the mutable columns and message `uid`.
bool flags_are_sound(BlockPtr block, std::uint32_t slot, std::uint32_t uid);
/// Both checksums. A reader may meet a row in change: look again, then under the lock.
bool row_is_sound(BlockPtr block, std::uint32_t slot);

// doc/format.md, "Extended attribute": user.p of a message file, 60 bytes.
inline constexpr const char* kXattr = "user.p";
struct FileFacts {
  std::uint64_t size = 0;
  std::int64_t internal_date = 0;
  std::int64_t save_date = 0;
  std::int16_t zone = 0;
  Guid guid;
};
std::string encode_file_facts(const FileFacts& facts);
/// @error corrupt
Result<FileFacts> decode_file_facts(std::string_view bytes);

/// SHA-256 of `bytes`.
Guid guid_of(std::string_view bytes);

}  // namespace postern::store
