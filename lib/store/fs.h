// Fs: the only door of the store to the file system. Tests put another in its place, which
// records, fails or cuts (tests/crash). Every call is one system call, EINTR retried.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/fd.h"
#include "lib/base/result.h"

namespace postern::store {

/// Paths are absolute. Errors are `io` with operation, path and errno name, but `no_such_object`
/// for ENOENT and `conflict` for EEXIST, EXDEV and EMLINK, which callers act on.
class Fs {
 public:
  virtual ~Fs() = default;

  virtual Result<Fd> open(const std::string& path, int flags);
  virtual Result<void> write_at(int fd, std::uint64_t offset, std::string_view bytes);
  virtual Result<void> sync(int fd);       // data, size, names, xattr
  virtual Result<void> sync_data(int fd);  // data and size only
  virtual Result<void> sync_fs(int fd);
  virtual Result<void> link(const std::string& from, const std::string& to);
  virtual Result<void> rename(const std::string& from, const std::string& to);
  virtual Result<void> unlink(const std::string& path);
  virtual Result<void> make_directory(const std::string& path);
  virtual Result<void> remove_directory(const std::string& path);
  virtual Result<void> set_xattr(int fd, const char* name, std::string_view value);
  /// Reserves [0, size) and raises the size; never shrinks.
  virtual Result<void> allocate(int fd, std::uint64_t size);
  virtual Result<void> truncate(int fd, std::uint64_t size);
  virtual Result<void> set_mtime(int fd, std::int64_t seconds);
  /// Shared; may reach far beyond the end of the file.
  virtual Result<char*> map(int fd, std::uint64_t size, bool writable);
  virtual void unmap(char* at, std::uint64_t size);
  /// The pages of a map may go from this process; they come back from the page cache when touched.
  virtual void let_go(char* at, std::uint64_t size);
  /// Called after stores into a writable map and before the system call that they must precede.
  virtual void mapped_stores(int) {}

  virtual Result<std::string> read_at(int fd, std::uint64_t offset, std::size_t most);
  virtual Result<std::uint64_t> size_of(int fd);
  virtual Result<std::uint64_t> device_of(int fd);
  virtual Result<std::vector<std::string>> list(const std::string& directory);
  virtual Result<std::string> xattr(int fd, const char* name);
  /// 16 bytes that change with each start of the kernel.
  virtual std::string boot_id();
};

/// The one in use: the kernel's, unless another was set, by a test or by store.strict_fsync.
Fs& fs();
/// `other` outlives its use; null: the kernel's again.
void replace_fs(Fs* other);

/// File modes of the store: 0600 files, 0700 directories (umask never widens them).
Result<std::string> read_whole(const std::string& path, std::size_t limit = 16U << 20);
/// path.new, sync, rename.
Result<void> replace_durably(const std::string& path, std::string_view bytes);

}  // namespace postern::store
