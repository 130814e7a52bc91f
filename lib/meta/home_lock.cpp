#include "lib/meta/home_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>

namespace postern::meta {

Result<HomeLock> HomeLock::take(const std::string& home, std::string_view purpose) {
  std::error_code error;
  std::filesystem::create_directories(home, error);
  if (error) return fail(Errc::io, "mkdir {}: {}", home, error.message());
  const std::string path = home + "/lock";
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) return errno_error("open", path);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return errno_error("flock", path);
    const auto holder = read_file(path);
    return fail(Errc::in_use, "{} is held by {}", home, holder ? *holder : "another process");
  }
  const std::string text = fmt::format("{} (pid {})", purpose, ::getpid());
  if (::ftruncate(fd.get(), 0) != 0 || ::pwrite(fd.get(), text.data(), text.size(), 0) < 0)
    return errno_error("write", path);
  return HomeLock(std::move(fd));
}

}  // namespace postern::meta
