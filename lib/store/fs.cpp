#include "lib/store/fs.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

#include "lib/base/text.h"

namespace postern::store {
namespace {

Fs* replaced = nullptr;

Error failed(std::string_view operation, std::string_view object) {
  const int err = errno;
  Error error = errno_error(operation, object, err);
  if (err == ENOENT) error.code = Errc::no_such_object;
  if (err == EEXIST || err == EXDEV || err == EMLINK) error.code = Errc::conflict;
  return error;
}

std::string name_of_fd(int fd) {
  char buffer[512];
  const ssize_t got =
      ::readlink(fmt::format("/proc/self/fd/{}", fd).c_str(), buffer, sizeof buffer);
  return got > 0 ? std::string(buffer, static_cast<std::size_t>(got)) : fmt::format("fd {}", fd);
}

template <typename Call>
Result<void> on_fd(std::string_view operation, int fd, Call call) {
  while (call() != 0)
    if (errno != EINTR) {
      const int err = errno;
      const std::string name = name_of_fd(fd);
      errno = err;
      return failed(operation, name);
    }
  return {};
}

Result<void> on_path(std::string_view operation, const std::string& path, int result) {
  if (result != 0) return failed(operation, path);
  return {};
}

}  // namespace

Result<Fd> Fs::open(const std::string& path, int flags) {
  for (;;) {
    Fd fd(::open(path.c_str(), flags | O_CLOEXEC, 0600));
    if (fd) return fd;
    if (errno != EINTR) return failed("open", path);
  }
}

Result<void> Fs::write_at(int fd, std::uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return on_fd("pwrite", fd, [] { return -1; });
    bytes.remove_prefix(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
  return {};
}

// A failed fsync is never repeated: the kernel has marked the pages clean, and a second call would
// succeed without the data.
Result<void> Fs::sync(int fd) {
  if (::fsync(fd) != 0) return on_fd("fsync", fd, [] { return -1; });
  return {};
}
Result<void> Fs::sync_data(int fd) {
  if (::fdatasync(fd) != 0) return on_fd("fdatasync", fd, [] { return -1; });
  return {};
}
Result<void> Fs::sync_fs(int fd) {
  if (::syncfs(fd) != 0) return on_fd("syncfs", fd, [] { return -1; });
  return {};
}

Result<void> Fs::link(const std::string& from, const std::string& to) {
  return on_path("link", to, ::link(from.c_str(), to.c_str()));
}
Result<void> Fs::rename(const std::string& from, const std::string& to) {
  return on_path("rename", to, ::rename(from.c_str(), to.c_str()));
}
Result<void> Fs::unlink(const std::string& path) {
  return on_path("unlink", path, ::unlink(path.c_str()));
}
Result<void> Fs::make_directory(const std::string& path) {
  return on_path("mkdir", path, ::mkdir(path.c_str(), 0700));
}
Result<void> Fs::remove_directory(const std::string& path) {
  return on_path("rmdir", path, ::rmdir(path.c_str()));
}

Result<void> Fs::set_xattr(int fd, const char* name, std::string_view value) {
  return on_fd("fsetxattr", fd,
               [&] { return ::fsetxattr(fd, name, value.data(), value.size(), 0); });
}

Result<void> Fs::allocate(int fd, std::uint64_t size) {
  int err = 0;
  while ((err = ::posix_fallocate(fd, 0, static_cast<off_t>(size))) == EINTR) {
  }
  errno = err;
  if (err != 0) return errno_error("posix_fallocate", name_of_fd(fd), err);
  return {};
}

Result<void> Fs::truncate(int fd, std::uint64_t size) {
  return on_fd("ftruncate", fd, [&] { return ::ftruncate(fd, static_cast<off_t>(size)); });
}

Result<void> Fs::set_mtime(int fd, std::int64_t seconds) {
  const timespec times[2] = {{0, UTIME_OMIT}, {seconds, 0}};
  return on_fd("futimens", fd, [&] { return ::futimens(fd, times); });
}

Result<char*> Fs::map(int fd, std::uint64_t size, bool writable) {
  const int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
  void* at = ::mmap(nullptr, size, protection, MAP_SHARED | MAP_NORESERVE, fd, 0);
  if (at == MAP_FAILED) return failed("mmap", name_of_fd(fd));
  return static_cast<char*>(at);
}

void Fs::unmap(char* at, std::uint64_t size) { ::munmap(at, size); }

void Fs::let_go(char* at, std::uint64_t size) { ::madvise(at, size, MADV_DONTNEED); }

Result<std::string> Fs::read_at(int fd, std::uint64_t offset, std::size_t most) {
  std::string out(most, '\0');
  std::size_t have = 0;
  while (have < most) {
    const ssize_t got =
        ::pread(fd, out.data() + have, most - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("pread", name_of_fd(fd));
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  out.resize(have);
  return out;
}

Result<std::uint64_t> Fs::size_of(int fd) {
  struct stat st {};
  if (::fstat(fd, &st) != 0) return failed("fstat", name_of_fd(fd));
  return static_cast<std::uint64_t>(st.st_size);
}

Result<std::uint64_t> Fs::device_of(int fd) {
  struct stat st {};
  if (::fstat(fd, &st) != 0) return failed("fstat", name_of_fd(fd));
  return st.st_dev;
}

Result<std::vector<std::string>> Fs::list(const std::string& directory) {
  DIR* dir = ::opendir(directory.c_str());
  if (dir == nullptr) return failed("opendir", directory);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(dir)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  ::closedir(dir);
  return names;
}

Result<std::string> Fs::xattr(int fd, const char* name) {
  char buffer[256];
  const ssize_t got = ::fgetxattr(fd, name, buffer, sizeof buffer);
  if (got < 0 && errno == ENODATA) return fail(Errc::no_such_object, "{}: no {}", fd, name);
  if (got < 0) return failed("fgetxattr", name_of_fd(fd));
  return std::string(buffer, static_cast<std::size_t>(got));
}

std::string Fs::boot_id() {
  const auto text = read_file("/proc/sys/kernel/random/boot_id", 64);
  std::string digits;
  for (const char c : text.value_or(""))
    if (c != '-' && c != '\n') digits += c;
  auto raw = from_hex(digits);
  std::string id = raw.has_value() ? *raw : std::string();
  id.resize(16);
  return id;
}

Fs& fs() {
  static Fs kernel;
  return replaced != nullptr ? *replaced : kernel;
}

void replace_fs(Fs* other) { replaced = other; }

Result<std::string> read_whole(const std::string& path, std::size_t limit) {
  const Fd fd = TRY(fs().open(path, O_RDONLY));
  const std::uint64_t size = TRY(fs().size_of(fd.get()));
  if (size > limit) return fail(Errc::too_big, "{} is over {} bytes", path, limit);
  return fs().read_at(fd.get(), 0, size);
}

Result<void> replace_durably(const std::string& path, std::string_view bytes) {
  const std::string fresh = path + ".new";
  const Fd fd = TRY(fs().open(fresh, O_WRONLY | O_CREAT | O_TRUNC));
  TRY(fs().write_at(fd.get(), 0, bytes));
  TRY(fs().sync(fd.get()));
  return fs().rename(fresh, path);
}

}  // namespace postern::store
