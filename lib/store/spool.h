// Message files: reading what a file says of itself, and writing a batch of new ones durably.
// Internal to lib/store. doc/format.md, "Message files".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/fd.h"
#include "lib/store/format.h"

namespace postern::store {

/// The uids of all `<uid>.` files of a directory, ascending.
std::vector<std::uint32_t> message_uids(const std::string& directory);
/// What the attribute says, if the file's size agrees.
/// @error no_such_object  no file
/// @error corrupt         no attribute, or another size: never completed
Result<FileFacts> probe_file(const std::string& path);
/// The same after reading all octets. @error conflict  size agrees, octets don't
Result<FileFacts> verify_file(const std::string& path);
/// A row without flags, cache and sent date, from the attribute.
Row row_of(std::uint32_t uid, const FileFacts& facts);
/// Length of a file, rounded up to 8; 0 without one.
std::uint64_t file_end(const std::string& path);

/// Message files of one command on their way to disk. Order of the calls matters: create or link
/// all names first, then commit(): one sync, last (measured on ext4: a name given after the sync is
/// lost with the power).
class SpoolBatch {
 public:
  /// Creates `path` with its octets, date and attribute.
  Result<void> create(const std::string& path, std::string_view bytes, const FileFacts& facts);
  /// Sets date and attribute of a staged file that was written already.
  Result<void> adopt(Fd file, const FileFacts& facts);
  /// Another name of a file that is in this batch, or is durable already.
  Result<void> link(const std::string& from, const std::string& to);
  /// Everything survives power loss when it returns.
  Result<void> commit();
  /// Removes all names that this batch made.
  void undo();

 private:
  std::vector<Fd> files_;
  std::vector<std::string> names_;
};

}  // namespace postern::store
