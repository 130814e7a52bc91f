// Checkpoints: the index on disk made whole, a copy of it kept, and a new log begun.
// doc/format.md, "Checkpoint". Internal to lib/store.
#pragma once

#include <map>

#include "lib/store/files.h"

namespace postern::store {

/// Whether the log has grown enough to begin a new one.
bool checkpoint_due(const MailboxFiles& files, const State& state);
/// Begins a new log. Without the lock but for a moment; does nothing if somebody else is at it or a
/// move is under way.
Result<void> checkpoint(MailboxFiles& files);
/// The same under the lock, for recovery: `state` is what the new log begins with, followed by the
/// moves that are still open and a mark for each transaction of `arrived`.
Result<void> checkpoint_locked(MailboxFiles& files, State& state,
                               const std::vector<std::uint64_t>& arrived);

/// Drops the tombstones of messages expunged at or before `before` (seconds UTC) whose files are
/// gone, if that is worth a new generation of the index. Under the lock, syncs included: rare.
Result<void> compact(MailboxFiles& files, std::int64_t before);

/// A log found in the directory, whatever its name.
struct FoundLog {
  std::string name;
  std::uint64_t generation = 0;
  State checkpoint;
  std::string bytes;  // from offset 0
};
/// Leaves the log of `generation` as `log` and no later one.
Result<void> put_in_place(MailboxFiles& files, std::uint64_t generation);
/// All sound logs, oldest first.
std::vector<FoundLog> find_logs(const MailboxFiles& files);
/// Moves away that the logs don't end: payloads by transaction.
std::map<std::uint64_t, std::string> open_moves(const MailboxId& id,
                                                const std::vector<FoundLog>& logs);

}  // namespace postern::store
