#include "lib/store/spool.h"

#include <fcntl.h>

#include <algorithm>
#include <set>

#include "lib/base/text.h"
#include "lib/store/fs.h"

namespace postern::store {
namespace {

constexpr std::size_t kManyFiles = 4;  // from here on one syncfs is cheaper than a sync of each

std::string directory_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

/// Copies when a link can't be: another file system, or too many links.
Result<Fd> copy_file(const std::string& from, const std::string& to) {
  const Fd in = TRY(fs().open(from, O_RDONLY));
  Fd out = TRY(fs().open(to, O_WRONLY | O_CREAT | O_EXCL));
  constexpr std::size_t kPiece = 1U << 20;
  for (std::uint64_t at = 0;; at += kPiece) {
    const std::string piece = TRY(fs().read_at(in.get(), at, kPiece));
    TRY(fs().write_at(out.get(), at, piece));
    if (piece.size() < kPiece) break;
  }
  const std::string attribute = TRY(fs().xattr(in.get(), kXattr));
  const FileFacts facts = TRY(decode_file_facts(attribute));
  TRY(fs().set_xattr(out.get(), kXattr, attribute));
  TRY(fs().set_mtime(out.get(), facts.internal_date));
  return out;
}

}  // namespace

std::vector<std::uint32_t> message_uids(const std::string& directory) {
  std::vector<std::uint32_t> uids;
  const auto names = fs().list(directory);
  if (!names) return uids;
  for (const std::string_view name : *names) {
    if (!name.ends_with('.')) continue;
    const auto uid = parse_u32(name.substr(0, name.size() - 1));
    if (uid && *uid > 0) uids.push_back(*uid);
  }
  std::ranges::sort(uids);
  return uids;
}

Result<FileFacts> probe_file(const std::string& path) {
  const Fd fd = TRY(fs().open(path, O_RDONLY));
  const std::uint64_t size = TRY(fs().size_of(fd.get()));
  const auto attribute = fs().xattr(fd.get(), kXattr);
  if (!attribute) return fail(Errc::corrupt, "{}: {}", path, attribute.error().text);
  const FileFacts facts = TRY(decode_file_facts(*attribute));
  if (facts.size != size) return fail(Errc::corrupt, "{}: {} bytes of {}", path, size, facts.size);
  return facts;
}

Result<FileFacts> verify_file(const std::string& path) {
  const FileFacts facts = TRY(probe_file(path));
  const std::string bytes = TRY(read_whole(path, std::size_t{4} << 30));
  if (guid_of(bytes) != facts.guid) return fail(Errc::conflict, "{}: other octets", path);
  return facts;
}

Row row_of(std::uint32_t uid, const FileFacts& facts) {
  Row row;
  row.uid = uid;
  row.size = facts.size;
  row.internal_date = row.sent_date = facts.internal_date;
  row.save_date = facts.save_date;
  row.zone = facts.zone;
  row.guid = facts.guid;
  return row;
}

std::uint64_t file_end(const std::string& path) {
  const auto fd = fs().open(path, O_RDONLY);
  if (!fd) return 0;
  return (fs().size_of(fd->get()).value_or(0) + 7) / 8 * 8;
}

Result<void> SpoolBatch::create(const std::string& path, std::string_view bytes,
                                const FileFacts& facts) {
  Fd fd = TRY(fs().open(path, O_WRONLY | O_CREAT | O_EXCL));
  names_.push_back(path);
  TRY(fs().write_at(fd.get(), 0, bytes));
  return adopt(std::move(fd), facts);
}

Result<void> SpoolBatch::adopt(Fd file, const FileFacts& facts) {
  TRY(fs().set_xattr(file.get(), kXattr, encode_file_facts(facts)));
  TRY(fs().set_mtime(file.get(), facts.internal_date));
  files_.push_back(std::move(file));
  return {};
}

Result<void> SpoolBatch::link(const std::string& from, const std::string& to) {
  auto linked = fs().link(from, to);
  if (!linked && linked.error().code == Errc::conflict) {
    files_.push_back(TRY(copy_file(from, to)));
    linked = {};
  }
  if (!linked) return linked.error();
  names_.push_back(to);
  return {};
}

Result<void> SpoolBatch::commit() {
  if (files_.empty() && !names_.empty()) {  // links only: their names are the directory's data
    const Fd directory = TRY(fs().open(directory_of(names_.back()), O_RDONLY | O_DIRECTORY));
    return fs().sync(directory.get());
  }
  if (files_.size() < kManyFiles) {
    for (const Fd& file : files_) TRY(fs().sync(file.get()));
    return {};
  }
  std::set<std::uint64_t> synced;
  for (const Fd& file : files_)
    if (synced.insert(TRY(fs().device_of(file.get()))).second) TRY(fs().sync_fs(file.get()));
  return {};
}

void SpoolBatch::undo() {
  for (const std::string& name : names_) (void)fs().unlink(name);
  names_.clear();
  files_.clear();
}

}  // namespace postern::store
