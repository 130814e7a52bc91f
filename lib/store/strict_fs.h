// StrictFs: for file systems that promise no order between a file's data and its name
// (store.strict_fsync). Remembers in which directories names were made, moved or removed, and syncs
// these with the next sync of any file, so that a name is on disk before anybody relies on it.
#pragma once

#include <set>
#include <string>

#include "lib/store/fs.h"

namespace postern::store {

class StrictFs : public Fs {
 public:
  Result<Fd> open(const std::string& path, int flags) override;
  Result<void> sync(int fd) override;
  Result<void> sync_data(int fd) override;
  Result<void> sync_fs(int fd) override;
  Result<void> link(const std::string& from, const std::string& to) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> unlink(const std::string& path) override;
  Result<void> make_directory(const std::string& path) override;
  Result<void> remove_directory(const std::string& path) override;

 protected:
  virtual Result<void> sync_directory(const std::string& path);

 private:
  void note(const std::string& path);
  Result<void> sync_names();
  std::set<std::string> changed_;  // directories whose names are not on disk yet
};

/// From now on the process works on one. Once, before anything is stored.
void use_strict_fs();

}  // namespace postern::store
