// The mailbox lock: open-file-description locks on the file `lock`, with a time limit. Byte 0 is
// the mailbox lock; byte 2^40 + uid belongs to whoever reserved that uid, byte 2^41 + n to a move
// under way, byte 2^42 to whoever checkpoints. The holder's name stands in the file.
// doc/locking.md.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/fd.h"
#include "lib/base/result.h"

namespace postern::store {

class LockFile {
 public:
  static constexpr std::uint64_t kMailbox = 0, kUid = std::uint64_t{1} << 40,
                                 kMove = std::uint64_t{1} << 41,
                                 kCheckpoint = std::uint64_t{1} << 42;

  static Result<LockFile> open(const std::string& path);
  LockFile() = default;
  LockFile(LockFile&& other) noexcept;
  LockFile& operator=(LockFile&& other) noexcept;
  ~LockFile();

  /// @error in_use  not had within `limit_ms`; the text names the holder
  Result<void> acquire(std::string_view operation, std::uint64_t session, std::int64_t limit_ms);
  void release();
  [[nodiscard]] bool held() const { return held_; }

  /// Takes a byte of its own; nobody else wants it.
  Result<void> take(std::uint64_t first, std::uint64_t count = 1);
  void drop(std::uint64_t first, std::uint64_t count = 1);
  /// Whether another open of this file holds it (this one's own locks don't count).
  [[nodiscard]] bool is_taken(std::uint64_t byte) const;
  /// Waits until nobody holds `byte`. @error in_use
  Result<void> await(std::uint64_t byte, std::int64_t limit_ms);
  [[nodiscard]] explicit operator bool() const { return static_cast<bool>(fd_); }

 private:
  [[nodiscard]] std::string holder() const;
  void name_holder(std::string_view operation, std::uint64_t session);

  static constexpr std::size_t kNameSize = 512;
  Fd fd_;
  std::string path_;
  char* name_ = nullptr;  // first page of the file, mapped
  bool held_ = false;
};

}  // namespace postern::store
