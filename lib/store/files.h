// MailboxFiles: the files of one mailbox as this process has them open, for reading and for
// changes. Internal to lib/store. doc/locking.md.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lib/base/change_board.h"
#include "lib/meta/meta.h"
#include "lib/store/cache_file.h"
#include "lib/store/index_file.h"
#include "lib/store/keyword_table.h"
#include "lib/store/lock_file.h"
#include "lib/store/log_file.h"
#include "lib/store/seen_overlay.h"

namespace postern::store {

/// What all mailboxes of a Store share.
struct Shared {
  ChangeBoard* board = nullptr;
  meta::Meta* meta = nullptr;  // is told what mailboxes hold; never called under a lock
  std::string boot;            // of the running kernel
  std::int64_t lock_limit_ms = 30'000;
  std::int64_t flush_interval_ms = 1'000;
  std::int64_t expunge_keep = 7 * 86'400;  // seconds
  std::int64_t tombstone_keep = 30 * 86'400;
  std::uint64_t stage_memory = 64U << 10;
  std::uint32_t max_keywords = 4'096;
  std::uint64_t session = 0;
  std::uint64_t next_txn = 0;
};

class MailboxFiles {
 public:
  MailboxFiles(Shared& shared, std::string directory, const MailboxId& id, std::string partition,
               UidValidity uidvalidity);
  MailboxFiles(const MailboxFiles&) = delete;
  MailboxFiles& operator=(const MailboxFiles&) = delete;

  /// The published state, with its records readable; of an empty mailbox without files too. Opens,
  /// follows a new generation, and takes the lock to mend what it finds unfinished.
  /// @error corrupt, in_use, io
  Result<State> state();
  /// Opens a path inside the directory.
  [[nodiscard]] std::string path(std::string_view name) const {
    return directory_ + "/" + std::string(name);
  }
  [[nodiscard]] std::string message_path(std::uint32_t uid) const;
  [[nodiscard]] Result<Row> row(std::uint32_t record) const;

  /// fdatasync of the log, without the lock. Afterwards everything that this process has committed
  /// here survives power loss. A failure makes the mailbox read-only for this process.
  Result<void> sync_log();
  [[nodiscard]] bool dirty() const { return dirty_since_ != 0; }
  [[nodiscard]] std::int64_t dirty_since() const { return dirty_since_; }

  /// Pointers into the index map that must be forgotten when it moves.
  void watch_map(std::vector<char*>* blocks) { watched_ = blocks; }
  void map_moved();

  Shared& shared;
  const MailboxId id;
  const std::string partition;
  const UidValidity uidvalidity;
  const std::uint32_t board_slot;

  IndexFile index;
  CacheFile cache;
  KeywordTable keywords;
  SeenOverlays seen;
  LockFile lock;
  std::optional<LogFile> log;
  std::set<std::uint32_t> own_uids;   // first uids of reservations of this process
  std::set<std::uint64_t> own_moves;  // txns of moves under way in this process

 private:
  friend class Change;
  Result<bool> attach();  // false: there is no index yet
  Result<void> open_lock();
  void mark_dirty(std::uint64_t end);  // the log up to `end` waits for a sync
  Result<void> mend();                 // takes and releases the lock, which repairs

  std::string directory_;
  std::int64_t dirty_since_ = 0;  // steady ms of the first commit that isn't synced; 0: none
  std::uint64_t written_to_ = 0;  // log offset behind what the next sync is for
  std::uint64_t synced_to_ = 0;
  std::uint64_t synced_generation_ = 0;
  bool failed_ = false;
  bool blank_ = false;  // it was when first looked at
  std::vector<char*>* watched_ = nullptr;
};

/// The mailbox lock held: a change from begin() to its end. Records are collected with add(), and
/// commit() makes all of them one commit; more may follow under the same lock.
class Change {
 public:
  /// Takes the lock, makes the files of an empty mailbox, mends what a dead writer left, and sees
  /// that `uids` uids and a modseq may be issued.
  /// @error in_use, mailbox_deleted (unless `even_deleting`), corrupt, io
  static Result<Change> begin(MailboxFiles& files, std::string_view operation,
                              std::uint32_t uids = 0, bool even_deleting = false);
  Change(Change&& other) noexcept;
  Change& operator=(Change&&) = delete;
  ~Change();

  State state;  // the published one; commit() publishes it with what was added
  /// False: nothing that another session shows has changed (\Recent), so nobody is woken.
  bool tells_others = true;

  [[nodiscard]] std::uint64_t next_modseq() const { return state.highestmodseq + 1; }
  void add(LogType type, std::string_view payload, std::uint64_t modseq = 0, std::uint64_t txn = 0);
  /// @error io  nothing has happened
  Result<void> commit();
  void end();

 private:
  explicit Change(MailboxFiles& files) : files_(&files) {}
  static Result<bool> room(Change& change, std::uint32_t uids);
  Result<void> prepare_files();
  Result<void> create_files();
  void add_lease(std::uint32_t uids);

  MailboxFiles* files_;
  std::optional<LogBatch> batch_;
};

/// Nothing was ever told of this mailbox: it has no files, or its first log was cut in the making.
bool is_blank(const MailboxFiles& files);
/// Replays the log from its checkpoint onto the index, takes unfinished and unnamed deliveries in
/// or out, starts uids and modseqs at their leases, recounts. Under the lock. (recover.cpp)
Result<void> recover(MailboxFiles& files);
/// Applies what a killed writer left behind `state.applied`.
Result<void> replay(MailboxFiles& files, State& state);
/// Opens the log that `state` names, whatever its name is.
Result<void> open_log(MailboxFiles& files, const State& state);

}  // namespace postern::store
