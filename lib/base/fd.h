// Fd: owns a file descriptor.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "lib/base/result.h"

namespace postern {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

/// The whole file, for configuration and the like.
/// @error io       with path and errno
/// @error too_big  over `limit` bytes
Result<std::string> read_file(const std::string& path, std::size_t limit = 16U << 20);

/// Writes `bytes` to `path`.new, fsyncs it, renames it over `path`. Mode 0600.
/// The directory is not fsynced.
Result<void> replace_file(const std::string& path, std::string_view bytes);

/// All of `bytes`, however many writes it takes. For blocking descriptors.
Result<void> write_all(int fd, std::string_view bytes);

}  // namespace postern
