// The change board: a table in shared memory by which committers tell everybody that a mailbox has
// changed. master makes it before all forks; its descriptors are inherited. A lost or false hint
// costs one look, never a message.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "lib/base/fd.h"
#include "lib/base/ids.h"
#include "lib/base/result.h"

namespace postern {

class ChangeBoard {
 public:
  // Mailboxes lie anywhere in it, so each of the first thousands takes a page: no larger than the
  // few false hints of a busy server are worth (20,000 watched mailboxes: one look in 13).
  static constexpr std::uint32_t kSlots = 1U << 18;

  /// A new board: a memfd of 2 MiB of counters, a dirty bitmap and an eventfd.
  static Result<ChangeBoard> create();
  /// The board behind inherited descriptors.
  static Result<ChangeBoard> attach(Fd memory, Fd event);
  /// A board that only this process sees: for tools and tests.
  static ChangeBoard private_board();

  ChangeBoard(ChangeBoard&&) noexcept;
  ChangeBoard& operator=(ChangeBoard&&) noexcept;
  ~ChangeBoard();

  static std::uint32_t slot_of(const MailboxId& mailbox);
  /// Bumped when an annotation of any mailbox or of the server was set.
  static std::uint32_t annotations_slot() { return slot_of(MailboxId()); }
  /// Value to remember BEFORE a snapshot is taken; a later difference means: look again.
  [[nodiscard]] std::uint64_t value(std::uint32_t slot) const;
  /// Called by a committer after publishing, before the lock is released. Never blocks.
  void bump(std::uint32_t slot, ModSeq modseq);
  /// Watcher's side (porter): slots marked dirty since the last call; drains the eventfd.
  std::vector<std::uint32_t> take_dirty();

  [[nodiscard]] int memory_fd() const;
  [[nodiscard]] int event_fd() const;

 private:
  struct Shared;
  ChangeBoard() = default;
  Fd memory_;
  Fd event_;
  Shared* shared_ = nullptr;
};

}  // namespace postern
