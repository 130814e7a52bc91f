#include "lib/store/strict_fs.h"

#include <fcntl.h>

#include <utility>

namespace postern::store {

void StrictFs::note(const std::string& path) { changed_.insert(path.substr(0, path.rfind('/'))); }

Result<void> StrictFs::sync_directory(const std::string& path) {
  const auto directory = Fs::open(path, O_RDONLY | O_DIRECTORY);
  // Whoever removed it has noted the one above.
  if (!directory && directory.error().code == Errc::no_such_object) return {};
  if (!directory) return directory.error();
  return Fs::sync(directory->get());
}

Result<void> StrictFs::sync_names() {
  for (const std::string& path : std::exchange(changed_, {})) TRY(sync_directory(path));
  return {};
}

Result<Fd> StrictFs::open(const std::string& path, int flags) {
  if ((flags & O_CREAT) != 0) note(path);
  return Fs::open(path, flags);
}

Result<void> StrictFs::sync(int fd) {
  TRY(Fs::sync(fd));
  return sync_names();
}

Result<void> StrictFs::sync_data(int fd) {
  TRY(Fs::sync_data(fd));
  return sync_names();
}

Result<void> StrictFs::sync_fs(int fd) {
  TRY(Fs::sync_fs(fd));
  return sync_names();
}

Result<void> StrictFs::link(const std::string& from, const std::string& to) {
  note(to);
  return Fs::link(from, to);
}

Result<void> StrictFs::rename(const std::string& from, const std::string& to) {
  note(from);
  note(to);
  return Fs::rename(from, to);
}

Result<void> StrictFs::unlink(const std::string& path) {
  note(path);
  return Fs::unlink(path);
}

Result<void> StrictFs::make_directory(const std::string& path) {
  note(path);
  return Fs::make_directory(path);
}

Result<void> StrictFs::remove_directory(const std::string& path) {
  note(path);
  return Fs::remove_directory(path);
}

void use_strict_fs() {
  static StrictFs strict;
  replace_fs(&strict);
}

}  // namespace postern::store
