// IndexFile: the mapped index of one mailbox: the published state, blocks of columns, summaries,
// the live bitmap, reservations. It knows the layout, not the meaning of a commit (apply.h).
// doc/format.md, "Index"; doc/locking.md, "Readers".
#pragma once

#include <optional>
#include <span>
#include <string>

#include "lib/base/fd.h"
#include "lib/store/format.h"

namespace postern::store {

class IndexFile {
 public:
  /// @error no_such_object  there is none yet
  /// @error corrupt         not an index of this mailbox, or shorter than one page and block
  static Result<IndexFile> open(const std::string& path, const MailboxId& mailbox);
  /// Makes `path` with room for state.count records, all zero, and the state published.
  static Result<IndexFile> create(const std::string& path, const MailboxId& mailbox,
                                  std::string_view partition, std::uint64_t generation,
                                  const State& state);
  /// The published state, read from the file without a map. Nothing where one look does not tell
  /// all: a commit in between, another kernel's, another generation, damage, no such file.
  static std::optional<State> peek(const std::string& path, const MailboxId& mailbox,
                                   const std::string& boot);
  IndexFile() = default;
  IndexFile(IndexFile&& other) noexcept;
  IndexFile& operator=(IndexFile&& other) noexcept;
  ~IndexFile();
  [[nodiscard]] explicit operator bool() const { return base_ != nullptr; }

  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  [[nodiscard]] bool superseded() const;
  /// The published state. Lock-free; a commit in between is looked at again.
  /// @error corrupt  neither copy is sound
  [[nodiscard]] Result<State> state() const;

  // For readers, within a state's count.
  [[nodiscard]] BlockPtr block(std::uint32_t number) const {
    return {base_ + block::offset(number), block::size(number)};
  }
  [[nodiscard]] std::uint64_t live_word(std::uint32_t word) const;
  /// The first out.size() words of the live bitmap.
  void copy_live(std::span<std::uint64_t> out) const;
  /// The first of records [0, count) whose uid is `uid` or above; `count` if there is none.
  [[nodiscard]] std::uint32_t lower_bound(std::uint32_t uid, std::uint32_t count) const;
  /// Live ones of records [from, end).
  [[nodiscard]] std::uint32_t count_live(std::uint32_t from, std::uint32_t end) const;
  /// Nothing if its checksum stays wrong: then the caller must walk the rows.
  [[nodiscard]] std::optional<Summary> summary(std::uint32_t number) const;
  /// Makes records [0, count) readable: maps anew if the file outgrew the map (then all pointers
  /// into it are void: `moved`).
  /// @error corrupt  the file is shorter than that
  Result<void> cover(std::uint32_t count, bool& moved);
  /// Nobody will look for a while: the rows of a large index need not count as our memory.
  void let_go_of_pages();

  // For the holder of the mailbox lock.
  /// @error io  (disk full)
  Result<void> grow(std::uint32_t count, bool& moved);
  void publish(State& state);
  void set_writing(bool on);
  [[nodiscard]] bool writing() const;
  void mark_superseded();
  [[nodiscard]] bool written_under(const std::string& boot) const;
  void set_boot(const std::string& boot);
  void set_live(std::uint32_t record, bool live);
  void set_live_word(std::uint32_t word, std::uint64_t bits);
  /// Raises the maxima before rows change, so that no reader passes the block over.
  void raise_summary(std::uint32_t number, std::uint64_t modseq, bool expunge);
  /// What the block's rows in [0, count) add up to.
  [[nodiscard]] Summary count_rows(std::uint32_t number, std::uint32_t count) const;
  /// The same, stored.
  Summary recompute(std::uint32_t number, std::uint32_t count);
  [[nodiscard]] UidReservation* reservations() { return page()->reservations; }
  void store_reservation(UidReservation& slot, UidReservation value);
  static bool is_sound(const UidReservation& reservation);

  Result<void> sync();
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  [[nodiscard]] IndexPage* page() const { return reinterpret_cast<IndexPage*>(base_); }
  Result<void> map_again(std::uint64_t at_least);

  Fd fd_;
  std::string path_;
  std::uint64_t generation_ = 0;
  char* base_ = nullptr;
  std::uint64_t mapped_ = 0;
  std::uint64_t size_ = 0;  // of the file, as far as known
};

}  // namespace postern::store
