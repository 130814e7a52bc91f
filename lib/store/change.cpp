// Change: the mailbox lock and the commit. doc/locking.md, "A commit, step by step".
#include <fcntl.h>

#include <algorithm>

#include "lib/base/assert.h"
#include "lib/base/clock.h"
#include "lib/log/log.h"
#include "lib/store/apply.h"
#include "lib/store/checkpoint.h"
#include "lib/store/files.h"
#include "lib/store/fs.h"
#include "lib/store/spool.h"

namespace postern::store {
namespace {

constexpr std::uint32_t kUidLease = 1'024;
constexpr std::uint64_t kModseqLease = std::uint64_t{1} << 20;
constexpr std::uint32_t kMaxUid = 0xFFFFFFF0;

bool has_room(const State& state, std::uint32_t uids, std::uint32_t uid_lease,
              std::uint64_t modseq_lease) {
  return std::uint64_t{state.next_uid} + uids <= uid_lease &&
         state.highestmodseq + 2 <= modseq_lease;
}

}  // namespace

bool is_blank(const MailboxFiles& files) {
  return find_logs(files).empty() && !fs().open(files.path("index.prev"), O_RDONLY) &&
         message_uids(files.path("")).empty();
}

Change::Change(Change&& other) noexcept
    : state(other.state),
      files_(std::exchange(other.files_, nullptr)),
      batch_(std::move(other.batch_)) {}

Change::~Change() { end(); }

void Change::end() {
  if (files_ == nullptr) return;
  files_->lock.release();
  files_ = nullptr;
}

Result<Change> Change::begin(MailboxFiles& files, std::string_view operation, std::uint32_t uids,
                             bool even_deleting) {
  if (files.failed_) return fail(Errc::io, "{}: read-only after a failed sync", files.path("log"));
  TRY(files.open_lock());
  for (int attempt = 0; attempt < 3; ++attempt) {
    TRY(files.lock.acquire(operation, files.shared.session, files.shared.lock_limit_ms));
    Change change(files);
    TRY(change.prepare_files());
    if (change.state.mode == kDeleting && !even_deleting)
      return fail(Errc::mailbox_deleted, "{}: is being deleted", files.directory_);
    if (change.state.mode == kReadOnly && !even_deleting)
      return fail(Errc::io, "{}: is read-only", files.directory_);
    if (even_deleting || TRY(room(change, uids))) return change;
    change.end();
    TRY(files.sync_log());
  }
  return fail(Errc::io, "{}: no lease", files.directory_);
}

// Uids and modseqs are issued only below leases that are on disk (doc/locking.md, "Leases").
Result<bool> Change::room(Change& change, std::uint32_t uids) {
  State& state = change.state;
  MailboxFiles& files = *change.files_;
  if (std::uint64_t{state.next_uid} + uids > kMaxUid)
    return fail(Errc::limit, "{}: no uids left", files.directory_);
  if (files.synced_generation_ == state.log_generation &&
      files.synced_to_ >= state.lease_position) {
    state.uid_lease = std::max(state.uid_lease, state.uid_lease_written);
    state.modseq_lease = std::max(state.modseq_lease, state.modseq_lease_written);
  }
  if (has_room(state, uids, state.uid_lease, state.modseq_lease)) return true;
  // A lease that another process has written needs no more than a sync, and anybody's will do. With
  // one of its own each, several that deliver at once would wait for the next one's for ever.
  if (has_room(state, uids, state.uid_lease_written, state.modseq_lease_written)) {
    files.mark_dirty(state.applied);
    return false;
  }
  change.add_lease(uids);
  TRY(change.commit());
  return false;
}

void Change::add_lease(std::uint32_t uids) {
  const auto uid = std::min<std::uint64_t>(
      kMaxUid, std::uint64_t{state.next_uid} + std::max(kUidLease, uids + kUidLease / 2));
  add(LogType::lease, encode_numbers({uid, state.highestmodseq + kModseqLease}));
}

Result<void> Change::prepare_files() {
  if (!files_->index || files_->index.superseded()) {
    const auto attached = files_->attach();
    if (!attached && attached.error().code != Errc::corrupt) return attached.error();
    if (attached && !*attached && is_blank(*files_))
      TRY(create_files());
    else if (!attached || !*attached)
      TRY(recover(*files_));
  }
  if (!files_->index.written_under(files_->shared.boot)) TRY(recover(*files_));
  auto now = files_->index.state();
  bool moved = false;
  if (!now || !files_->index.cover(now->next_record, moved) || !files_->keywords.refresh(*now)) {
    TRY(recover(*files_));
    now = files_->index.state();
    if (!now) return now.error();
    TRY(files_->keywords.refresh(*now));
  }
  if (moved) files_->map_moved();
  state = *now;
  TRY(open_log(*files_, state));
  // There was none: recovery has begun another.
  if (files_->log->generation() != state.log_generation) state = TRY(files_->index.state());
  if (files_->index.writing()) TRY(replay(*files_, state));
  return {};
}

// The log first and durable: it holds the first leases, and the index can be made from it.
Result<void> Change::create_files() {
  State first;
  first.uidvalidity = files_->uidvalidity.value();
  first.uid_lease = first.uid_lease_written = 1 + kUidLease;
  first.modseq_lease = first.modseq_lease_written = kModseqLease;
  first.applied = LogFile::kFirst;
  files_->log = TRY(LogFile::create(files_->path("log"), files_->id, files_->partition, 1, first));
  TRY(IndexFile::create(files_->path("index.new"), files_->id, files_->partition, 1, first));
  TRY(fs().rename(files_->path("index.new"), files_->path("index")));
  TRY(files_->attach());
  return {};
}

void Change::add(LogType type, std::string_view payload, std::uint64_t modseq, std::uint64_t txn) {
  if (!batch_) batch_.emplace(files_->id, state.log_generation, state.applied);
  batch_->add(type, payload, modseq, txn, files_->shared.session);
}

Result<void> Change::commit() {
  ASSERT(files_ != nullptr && files_->lock.held());
  IndexFile& index = files_->index;
  if (!batch_) {
    index.publish(state);
    return {};
  }
  const bool lease_due =
      state.settled == 0 && state.uid_lease_written == state.uid_lease &&
      (state.uid_lease - std::min(state.next_uid, state.uid_lease) < kUidLease / 2 ||
       state.modseq_lease - state.highestmodseq < kModseqLease / 2);
  if (lease_due) add_lease(0);
  const LogBatch batch = std::move(*batch_);
  batch_.reset();
  index.set_writing(true);
  if (auto written = files_->log->append(batch); !written) {
    index.set_writing(false);
    return written.error();
  }
  Applier applier(index, &files_->keywords, state, files_->id, files_->partition, &files_->seen);
  const auto end = scan_log(batch.bytes(), files_->id, batch.generation(), batch.offset(),
                            [&](const LogRecord& record) { return applier.apply(record); });
  if (!end) return end.error();  // `writing` stays set: the next holder replays
  applier.count_touched();
  if (applier.moved()) files_->map_moved();
  state.applied = *end;
  index.publish(state);
  index.set_writing(false);
  files_->mark_dirty(*end);
  if (tells_others) files_->shared.board->bump(files_->board_slot, ModSeq(state.highestmodseq));
  return files_->keywords.refresh(state);
}

}  // namespace postern::store
