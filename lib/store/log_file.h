// The mailbox log: append-only records, one pwrite of which is a commit. Payloads are absolute
// values or masks over ranges, so replaying any tail of the log again changes nothing.
// doc/format.md, "Log".
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/fd.h"
#include "lib/store/format.h"

namespace postern::store {

enum class LogType : std::uint8_t {
  checkpoint = 1,  // State; the first record of every log
  lease = 2,
  append = 3,   // rows that are published
  flags = 4,    // masks over ranges
  expunge = 5,  // ranges
  prepare = 6,  // rows whose files are about to be linked
  commit = 7,   // publishes prepared rows
  burn = 8,     // uids that will never be messages
  keyword = 9,  // a name gets a number
  set = 10,     // a set of keywords over 63 gets a number
  mode = 11,    // deleting, live, read-only
  recent = 12,  // recent_uid
  intent = 13,  // MOVE away begins
  intent_end = 14,
  settled = 15,  // leases end here; the index on disk is whole
  cleaned = 16,  // files of these expunged rows are unlinked
  seen = 17,     // \Seen of one user, in seen.<user-id>
};

struct LogHead {
  std::uint32_t length = 0;  // of the record with this head, a multiple of 8
  std::uint32_t crc = 0;     // of what follows, seeded with mailbox, generation and offset
  std::uint8_t type = 0;
  std::uint8_t version = 1;
  std::uint16_t reserved0 = 0;
  std::uint32_t payload = 0;  // octets; zeros up to `length` follow
  std::uint64_t txn = 0;
  std::uint64_t modseq = 0;
  std::int64_t wall = 0;  // microseconds UTC
  std::uint64_t session = 0;
};
static_assert(sizeof(LogHead) == 48);

struct LogRecord {
  LogType type = LogType::checkpoint;
  std::uint64_t txn = 0, modseq = 0, session = 0;
  std::int64_t wall = 0;
  std::string_view payload;
  std::uint64_t end = 0;  // offset behind the record
};

struct Range {
  std::uint32_t first = 0, count = 0;
  friend bool operator==(const Range&, const Range&) = default;
};
void add_to_ranges(std::vector<Range>& ranges, std::uint32_t value);
std::uint64_t total(std::span<const Range> ranges);

/// Records on their way into the log; built under the lock, so that their offset is known.
class LogBatch {
 public:
  LogBatch(const MailboxId& mailbox, std::uint64_t generation, std::uint64_t offset);
  void add(LogType type, std::string_view payload, std::uint64_t modseq, std::uint64_t txn,
           std::uint64_t session);
  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  [[nodiscard]] std::uint64_t offset() const { return offset_; }
  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  [[nodiscard]] bool essential() const { return essential_; }

 private:
  MailboxId mailbox_;
  std::uint64_t generation_;
  std::uint64_t offset_;
  std::string bytes_;
  bool essential_ = false;  // expunge or delete: may use the reserve of a full disk
};

/// Calls `each` for the records of `log` (the bytes of the file from `offset` on), until the end,
/// the first that isn't sound, or an error. Gives the offset where it stopped.
Result<std::uint64_t> scan_log(std::string_view log, const MailboxId& mailbox,
                               std::uint64_t generation, std::uint64_t offset,
                               const std::function<Result<void>(const LogRecord&)>& each);

/// One log of a mailbox, whatever name it has at the moment.
class LogFile {
 public:
  static Result<LogFile> open(const std::string& path, const MailboxId& mailbox);
  /// Makes a log whose first record is the checkpoint `state`; durable on return.
  static Result<LogFile> create(const std::string& path, const MailboxId& mailbox,
                                std::string_view partition, std::uint64_t generation,
                                const State& state);
  /// @error io  (disk full)
  Result<void> append(const LogBatch& batch);
  Result<void> sync();
  Result<std::string> read();
  /// Cuts what a crash left behind `end`.
  Result<void> cut(std::uint64_t end);
  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// Offset behind the checkpoint record.
  static constexpr std::uint64_t kFirst = sizeof(Preamble) + sizeof(LogHead) + sizeof(State);

 private:
  Fd fd_;
  std::uint64_t generation_ = 0;
  std::uint64_t allocated_ = 0;
};

// Payloads. Every decoder refuses what doesn't fit its length exactly (bad_syntax).
struct RowsPayload {
  std::uint32_t first_record = 0;
  std::vector<Row> rows;
};
std::string encode_rows(std::uint32_t first_record, std::span<const Row> rows);
Result<RowsPayload> decode_rows(std::string_view payload);

struct MoreChange {
  std::uint32_t record = 0, set = 0;
};
struct FlagsPayload {
  std::uint64_t keep = ~std::uint64_t{0}, add = 0;                    // system flags
  std::uint64_t keep_keywords = ~std::uint64_t{0}, add_keywords = 0;  // keywords 0..63
  std::vector<Range> ranges;                                          // of records
  std::vector<MoreChange> more;
};
std::string encode(const FlagsPayload& flags);
Result<FlagsPayload> decode_flags(std::string_view payload);

struct RangesPayload {
  std::uint32_t value = 0;  // expunge: seconds UTC
  std::vector<Range> ranges;
};
std::string encode(const RangesPayload& ranges);
Result<RangesPayload> decode_ranges(std::string_view payload);

struct SeenPayload {
  UserId user;
  bool seen = true;
  std::vector<Range> uids;
};
std::string encode(const SeenPayload& seen);
Result<SeenPayload> decode_seen(std::string_view payload);

/// Up to four numbers, for the small records.
std::string encode_numbers(std::initializer_list<std::uint64_t> numbers);
template <std::size_t N>
Result<std::array<std::uint64_t, N>> decode_numbers(std::string_view payload) {
  if (payload.size() != N * 8) return fail(Errc::bad_syntax, "log payload of {}", payload.size());
  std::array<std::uint64_t, N> out;
  std::memcpy(out.data(), payload.data(), N * 8);
  return out;
}

struct NamePayload {
  std::uint32_t number = 0;
  std::uint64_t at = 0;  // offset in the keywords file
  std::string_view bytes;
};
std::string encode(const NamePayload& name);
Result<NamePayload> decode_name(std::string_view payload);

struct IntentPayload {
  MailboxId destination;
  std::string partition;
  std::uint32_t uidvalidity = 0;
  std::vector<Range> uids;
};
std::string encode(const IntentPayload& intent);
Result<IntentPayload> decode_intent(std::string_view payload);

}  // namespace postern::store
