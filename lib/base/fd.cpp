#include "lib/base/fd.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace postern {

void Fd::reset(int fd) {
  // close() is never retried: on Linux the descriptor is gone even after EINTR.
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return errno_error("open", path);
  std::string out;
  // A large buffer on the stack would stay: 64 KiB in each of the many processes.
  for (std::size_t room = 4096;; room = std::min<std::size_t>(2 * room, 1U << 20)) {
    const std::size_t had = out.size();
    out.resize(had + room);
    const ssize_t got = ::read(fd.get(), out.data() + had, room);
    out.resize(had + static_cast<std::size_t>(std::max<ssize_t>(0, got)));
    if (got < 0 && errno != EINTR) return errno_error("read", path);
    if (got == 0) return out;
    if (out.size() > limit) return fail(Errc::too_big, "{} is over {} bytes", path, limit);
  }
}

Result<void> write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return errno_error("write", "descriptor");
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

Result<void> replace_file(const std::string& path, std::string_view bytes) {
  const std::string fresh = path + ".new";
  const Fd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd) return errno_error("open", fresh);
  TRY(write_all(fd.get(), bytes));
  if (::fsync(fd.get()) != 0) return errno_error("fsync", fresh);
  if (::rename(fresh.c_str(), path.c_str()) != 0) return errno_error("rename", path);
  return {};
}

}  // namespace postern
