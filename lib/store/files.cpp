#include "lib/store/files.h"

#include <algorithm>
#include <charconv>

#include "lib/base/assert.h"
#include "lib/base/clock.h"
#include "lib/log/log.h"
#include "lib/store/fs.h"

namespace postern::store {

MailboxFiles::MailboxFiles(Shared& common, std::string directory, const MailboxId& mailbox,
                           std::string partition_name, UidValidity validity)
    : shared(common),
      id(mailbox),
      partition(std::move(partition_name)),
      uidvalidity(validity),
      board_slot(ChangeBoard::slot_of(mailbox)),
      cache(directory + "/cache"),
      keywords(directory + "/keywords"),
      seen(directory, mailbox, partition),
      directory_(std::move(directory)) {}

std::string MailboxFiles::message_path(std::uint32_t uid) const {
  char name[16];
  const auto end = std::to_chars(name, name + sizeof name, uid).ptr;
  *end = '.';
  std::string out;
  out.reserve(directory_.size() + 12);
  out.append(directory_).append(1, '/').append(name, static_cast<std::size_t>(end + 1 - name));
  return out;
}

void MailboxFiles::map_moved() {
  if (watched_ != nullptr) watched_->clear();
}

Result<bool> MailboxFiles::attach() {
  auto opened = IndexFile::open(path("index"), id);
  if (!opened) {
    if (opened.error().code == Errc::no_such_object) return false;
    return opened.error();
  }
  index = std::move(*opened);
  keywords.forget();
  map_moved();
  return true;
}

Result<void> MailboxFiles::open_lock() {
  if (!lock) lock = TRY(LockFile::open(path("lock")));
  return {};
}

Result<void> MailboxFiles::mend() {
  TRY(Change::begin(*this, "mend", 0, true));
  return {};
}

Result<State> MailboxFiles::state() {
  for (int attempt = 0; attempt < 3; ++attempt) {
    if (!index || index.superseded()) {
      const auto attached = attach();
      if (!attached && attached.error().code != Errc::corrupt) return attached.error();
      if (attached && !*attached && !fs().open(path("log"), 0) &&
          (blank_ || (blank_ = is_blank(*this)))) {
        State empty;
        empty.uidvalidity = uidvalidity.value();
        return empty;
      }
      if (!attached || !*attached || !index.written_under(shared.boot)) {
        TRY(mend());
        continue;
      }
    }
    auto now = index.state();
    bool moved = false;
    auto covered = now ? index.cover(now->count, moved) : Result<void>(now.error());
    if (moved) map_moved();
    if (covered && !keywords.refresh(*now)) covered = fail(Errc::corrupt, "keywords");
    if (covered) return *now;
    index = IndexFile();
    map_moved();
    TRY(mend());
  }
  return fail(Errc::corrupt, "{}: can't be mended", directory_);
}

Result<Row> MailboxFiles::row(std::uint32_t record) const {
  const BlockPtr rows = index.block(block::of(record));
  for (int i = 0; i < 100; ++i)
    if (row_is_sound(rows, block::slot(record))) return load_row(rows, block::slot(record));
  return fail(Errc::corrupt, "{}/index: record {}", directory_, record);
}

void MailboxFiles::mark_dirty(std::uint64_t end) {
  written_to_ = end;
  if (dirty_since_ == 0) dirty_since_ = std::max<std::int64_t>(1, steady_millis());
}

Result<void> MailboxFiles::sync_log() {
  if (dirty_since_ == 0 || !log) return {};
  const std::uint64_t to = written_to_;
  dirty_since_ = 0;
  if (auto done = log->sync(); !done) {
    failed_ = true;  // the kernel has dropped the pages: nothing here may be acknowledged any more
    LOG(error, "mailbox.sync_failed", {"mailbox_id", id.hex()}, {"error", done.error().text});
    return done.error();
  }
  synced_to_ = to;
  synced_generation_ = log->generation();
  return {};
}

}  // namespace postern::store
