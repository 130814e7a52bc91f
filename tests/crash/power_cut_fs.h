// A file system that remembers every call, and the disks that a power cut may leave of them.
//
// The model is ext4 with a journal in ordered mode: metadata (names, attributes, dates, allocated
// sizes) reach the disk in order, as a prefix that contains everything before the last fsync or
// syncfs; file data in any order and by sectors, but all that was written before a sync of that
// file.
#pragma once

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "lib/store/fs.h"

namespace postern::store::testing {

struct Event {
  enum class Kind {
    create,
    make_directory,
    link,
    rename,
    unlink,
    remove_directory,
    xattr,
    mtime,
    allocate,
    truncate,
    write,
    sync,
    sync_data,
    sync_fs
  } kind = Kind::write;
  int inode = 0;
  std::string path, other;   // relative to the root
  std::uint64_t number = 0;  // offset, size or seconds
  std::string bytes;
};

class RecordingFs final : public Fs {
 public:
  explicit RecordingFs(std::string root) : root_(std::move(root)) {}

  Result<Fd> open(const std::string& path, int flags) override;
  Result<void> write_at(int fd, std::uint64_t offset, std::string_view bytes) override;
  Result<void> sync(int fd) override;
  Result<void> sync_data(int fd) override;
  Result<void> sync_fs(int fd) override;
  Result<void> link(const std::string& from, const std::string& to) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> unlink(const std::string& path) override;
  Result<void> make_directory(const std::string& path) override;
  Result<void> remove_directory(const std::string& path) override;
  Result<void> set_xattr(int fd, const char* name, std::string_view value) override;
  Result<void> allocate(int fd, std::uint64_t size) override;
  Result<void> truncate(int fd, std::uint64_t size) override;
  Result<void> set_mtime(int fd, std::int64_t seconds) override;
  Result<char*> map(int fd, std::uint64_t size, bool writable) override;

  [[nodiscard]] const std::vector<Event>& events() const { return events_; }
  /// Takes stores into maps that no call has followed yet into the record.
  void look_at_maps();

 private:
  [[nodiscard]] std::string relative(const std::string& path) const;
  Event& add(Event::Kind kind, int inode = 0);
  [[nodiscard]] int inode_of(int fd) const;

  std::string root_;
  std::vector<Event> events_;
  std::map<std::string, int> names_;  // path to inode, now
  std::map<int, int> open_;           // descriptor to inode
  std::map<int, Fd> mapped_;          // inodes mapped for writing, with a descriptor of our own
  std::map<int, std::string> seen_;   // their contents at the last look
  int next_inode_ = 1;
};

/// Writes one disk that a cut after the first `count` events may leave, into the empty directory
/// `root`. Files named `lock` come back empty.
void materialise(const std::vector<Event>& events, std::size_t count, std::mt19937& random,
                 const std::string& root);

}  // namespace postern::store::testing
