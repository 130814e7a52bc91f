// Applier: carries log records into the index. The same code serves a commit, the replay of what a
// killed writer left, and recovery. doc/format.md, "Log".
#pragma once

#include <string>
#include <vector>

#include "lib/store/index_file.h"
#include "lib/store/keyword_table.h"
#include "lib/store/log_file.h"
#include "lib/store/seen_overlay.h"

namespace postern::store {

class Applier {
 public:
  /// `keywords` null: keyword records change only the counts; `seen` null: those of \Seen nothing.
  Applier(IndexFile& index, KeywordTable* keywords, State& state, const MailboxId& mailbox,
          std::string_view partition, SeenOverlays* seen = nullptr)
      : index_(index),
        keywords_(keywords),
        seen_(seen),
        state_(state),
        mailbox_(mailbox),
        partition_(partition),
        old_count_(state.count) {}

  /// @error corrupt  the payload makes no sense: nothing of it was done
  /// @error io
  Result<void> apply(const LogRecord& record);
  /// Counts the touched blocks anew and moves the state's counts by the difference.
  void count_touched();
  /// Rebuilds bitmap, summaries and counts from the rows.
  void count_all();
  /// The map of the index moved: pointers into it are void.
  [[nodiscard]] bool moved() const { return moved_; }
  /// Records that were changed though their check was wrong: torn or damaged. Now it is right.
  [[nodiscard]] const std::vector<std::uint32_t>& doubtful() const { return doubtful_; }

 private:
  Result<void> append(const LogRecord& record, bool publish);
  Result<void> flags(const LogRecord& record);
  Result<void> expunge(const LogRecord& record);
  Result<void> publish_prepared(const LogRecord& record);
  Result<void> burn(const LogRecord& record);
  Result<void> keyword(const LogRecord& record, bool is_set);
  Result<void> lease(const LogRecord& record, bool settled);
  Result<void> cleaned(const LogRecord& record);
  Result<void> check(std::span<const Range> ranges) const;
  /// The flags word to build on.
  std::uint64_t flags_of(std::uint32_t record);
  template <typename Each>
  void each_block(std::span<const Range> ranges, Each each);
  void raise_counts(std::uint32_t records, std::uint32_t uidnext);
  void touch(std::uint32_t number);

  IndexFile& index_;
  KeywordTable* keywords_;
  SeenOverlays* seen_;
  State& state_;
  MailboxId mailbox_;
  std::string partition_;
  std::uint32_t old_count_;
  std::vector<std::uint32_t> touched_;
  std::vector<std::uint32_t> doubtful_;
  bool moved_ = false;
};

/// Writes the mutable columns of a row and their check bits: flags before modseq.
void store_mutable(BlockPtr block, std::uint32_t slot, std::uint64_t flags, std::uint64_t keywords,
                   std::uint64_t modseq, std::uint32_t more);

}  // namespace postern::store
