// SeenOverlay: the file in which a mailbox keeps the \Seen of one user who isn't its owner.
// Records are appended under the mailbox lock after the log has them; readers take no lock.
// doc/format.md, "Seen".
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lib/store/log_file.h"
#include "lib/store/seen_ranges.h"

namespace postern::store {

class MailboxFiles;
struct FoundLog;

class SeenOverlay {
 public:
  SeenOverlay(std::string path, const MailboxId& mailbox, const UserId& user,
              std::string_view partition);

  /// Reads what was added since. A file that isn't there has no ranges.
  /// @error io, not_supported
  Result<void> refresh();
  [[nodiscard]] const SeenRanges& ranges() const { return ranges_; }
  /// Something between sound records isn't sound.
  [[nodiscard]] bool damaged() const { return damaged_; }
  /// Behind the last record lies what is none. Only the holder of the lock can tell.
  [[nodiscard]] bool has_rubbish() const { return rubbish_; }
  /// Knows nothing of uids or modseqs that the mailbox hasn't had.
  [[nodiscard]] bool fits(const State& state) const;
  /// Has grown so much that it is to be written anew.
  [[nodiscard]] bool is_long() const;

  // Under the mailbox lock.
  /// Room for a change of `ranges` ranges, so that a full disk says so before the log has it.
  /// @error io
  Result<void> reserve(std::size_t ranges);
  /// Adds what the file doesn't have yet.
  Result<void> add(std::span<const SeenRange> changes);
  /// Writes the file anew, durably, with `ranges`.
  Result<void> rewrite(SeenRanges ranges);
  Result<void> sync();

 private:
  [[nodiscard]] Preamble preamble(std::uint64_t generation) const;
  Result<std::uint64_t> read_generation(int fd, bool& whole) const;

  std::string path_;
  MailboxId mailbox_;
  std::string partition_;
  std::uint32_t seed_;
  SeenRanges ranges_;
  std::uint64_t generation_ = 0;  // 0: nothing was read
  std::uint64_t end_ = 0;         // behind the last sound record
  bool damaged_ = false;
  bool rubbish_ = false;
};

/// The overlays of one mailbox that this process has read.
class SeenOverlays {
 public:
  SeenOverlays(std::string directory, const MailboxId& mailbox, std::string partition)
      : directory_(std::move(directory)), mailbox_(mailbox), partition_(std::move(partition)) {}
  /// Good until forget().
  SeenOverlay& of(const UserId& user);
  void forget() { open_.clear(); }
  /// Applies a record of the log.
  Result<void> apply(const LogRecord& record);
  /// Writes those anew that have grown long. Takes the lock.
  void shorten(MailboxFiles& files);
  /// Users with a file in the directory.
  [[nodiscard]] Result<std::vector<UserId>> users() const;

 private:
  std::string directory_;
  MailboxId mailbox_;
  std::string partition_;
  std::map<UserId, SeenOverlay> open_;
};

/// Users whose changes `logs` have.
std::set<UserId> seen_users(const MailboxId& mailbox, const std::vector<FoundLog>& logs);
/// Makes the overlays durable that the logs have changes of: they may end then.
Result<void> sync_seen(MailboxFiles& files, const State& state);
/// Whether the overlay, read anew, is one that mend_seen() is for.
Result<bool> seen_needs_mending(MailboxFiles& files, const State& state, const UserId& user);
/// Writes a damaged overlay anew, from its sound records and the logs. What may be lost counts as
/// unseen since `modseq`, which nobody was told yet. Under the lock.
Result<void> mend_seen(MailboxFiles& files, const State& state, const UserId& user,
                       std::uint64_t modseq);
/// The same in a commit of its own, if it still is damaged. Takes the lock.
Result<void> mend_seen(MailboxFiles& files, const UserId& user);
/// Writes a long overlay anew, with fewer ranges. Takes the lock.
Result<void> shorten_seen(MailboxFiles& files, const UserId& user);

}  // namespace postern::store
