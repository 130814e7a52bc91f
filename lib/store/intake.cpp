#include "lib/store/intake.h"

#include <unistd.h>

#include <algorithm>

#include "lib/base/assert.h"
#include "lib/base/clock.h"
#include "lib/log/log.h"
#include "lib/store/fs.h"

namespace postern::store {
namespace {

constexpr std::size_t kCachePiece = 1U << 20;

std::vector<UidReservation*> in_order(MailboxFiles& files) {
  std::vector<UidReservation*> slots;
  for (std::size_t i = 0; i < kReservations; ++i)
    if (files.index.reservations()[i].state != kFree)
      slots.push_back(files.index.reservations() + i);
  std::ranges::sort(slots, {}, [](const UidReservation* r) { return r->record; });
  return slots;
}

bool is_dead(const MailboxFiles& files, const UidReservation& slot) {
  return slot.state == kBurned ||
         (!files.own_uids.contains(slot.uid) && !files.lock.is_taken(LockFile::kUid + slot.uid));
}

void burn(MailboxFiles& files, Change& change, std::uint32_t record, std::uint32_t uid,
          std::uint32_t count) {
  change.add(LogType::burn, encode_numbers({record, uid, count}));
  for (std::uint32_t i = 0; i < count; ++i) (void)fs().unlink(files.message_path(uid + i));
  LOG(notice, "mailbox.reservation_burned", {"mailbox_id", files.id.hex()}, {"uid", uid},
      {"count", count});
}

std::vector<Row> rows_of(const MailboxFiles& files, std::uint32_t record, std::uint32_t count) {
  std::vector<Row> rows;
  rows.reserve(count);
  for (std::uint32_t r = record; r < record + count; ++r)
    rows.push_back(load_row(files.index.block(block::of(r)), block::slot(r)));
  return rows;
}

}  // namespace

Result<std::uint32_t> publish_ready(MailboxFiles& files, Change& change) {
  std::uint32_t next = change.state.count, busy = 0;
  const std::uint64_t modseq = change.next_modseq();
  // Uids and records are handed out side by side, so the one tells the other.
  const std::uint32_t distance = change.state.next_uid - change.state.next_record;
  std::vector<UidReservation*> done;
  std::vector<Row> run;
  std::uint32_t run_at = 0;
  const auto flush_run = [&] {
    if (!run.empty()) change.add(LogType::append, encode_rows(run_at, run), modseq);
    run.clear();
  };
  for (UidReservation* slot : in_order(files)) {
    if (!IndexFile::is_sound(*slot)) return fail(Errc::corrupt, "{}: reservations", files.id.hex());
    if (slot->record < next) {  // published; its owner died before it could say so
      done.push_back(slot);
      continue;
    }
    if (slot->record > next) {  // reserved by somebody who died before its slot was written
      flush_run();
      burn(files, change, next, next + distance, slot->record - next);
      next = slot->record;
    }
    if (is_dead(files, *slot)) {
      flush_run();
      burn(files, change, slot->record, slot->uid, slot->count);
    } else if (slot->state != kReady) {
      busy = slot->uid;
      break;
    } else if (slot->txn != 0) {
      flush_run();
      change.add(LogType::commit, encode_numbers({slot->record, slot->count}), modseq, slot->txn);
    } else {
      if (run.empty()) run_at = slot->record;
      for (Row& row : rows_of(files, slot->record, slot->count)) run.push_back(row);
    }
    next = slot->record + slot->count;
    done.push_back(slot);
  }
  flush_run();
  if (busy == 0 && next < change.state.next_record)
    burn(files, change, next, next + distance, change.state.next_record - next);
  TRY(change.commit());
  for (UidReservation* slot : done) files.index.store_reservation(*slot, UidReservation{});
  return busy;
}

Intake::Intake(Intake&& other) noexcept
    : files_(std::exchange(other.files_, nullptr)),
      first_uid_(other.first_uid_),
      first_record_(other.first_record_),
      count_(other.count_),
      txn_(other.txn_),
      after_(other.after_),
      reader_(other.reader_),
      own_seen_(std::move(other.own_seen_)) {}

Intake& Intake::operator=(Intake&& other) noexcept {
  std::swap(files_, other.files_);
  std::swap(first_uid_, other.first_uid_);
  std::swap(first_record_, other.first_record_);
  std::swap(count_, other.count_);
  std::swap(txn_, other.txn_);
  std::swap(after_, other.after_);
  std::swap(reader_, other.reader_);
  std::swap(own_seen_, other.own_seen_);
  return *this;
}

Intake::~Intake() {
  if (files_ != nullptr) give_up();
}

void Intake::forget() {
  files_->own_uids.erase(first_uid_);
  files_->lock.drop(LockFile::kUid + first_uid_);
  files_ = nullptr;
}

UidReservation* Intake::slot() {
  for (std::size_t i = 0; i < kReservations; ++i) {
    UidReservation* slot = files_->index.reservations() + i;
    if (slot->uid == first_uid_ && slot->count == count_ && IndexFile::is_sound(*slot) &&
        (slot->state == kReserved || slot->state == kReady))
      return slot;
  }
  return nullptr;
}

Result<Intake> Intake::reserve(MailboxFiles& files, std::uint32_t count, std::uint64_t txn) {
  const std::int64_t deadline = steady_millis() + files.shared.lock_limit_ms;
  for (;;) {
    auto change = TRY(Change::begin(files, "reserve", count));
    UidReservation* slots = files.index.reservations();
    const auto free = std::find_if(slots, slots + kReservations,
                                   [](const UidReservation& r) { return r.state == kFree; });
    if (free == slots + kReservations) {
      const auto busy = publish_ready(files, change);
      change.end();
      if (!busy && busy.error().code == Errc::corrupt) {
        const auto held = TRY(Change::begin(files, "mend", 0, true));
        TRY(recover(files));
      } else if (TRY(Result(busy)) != 0) {
        TRY(files.lock.await(LockFile::kUid + *busy, deadline - steady_millis()));
      }
      continue;
    }
    Intake intake(files);
    intake.first_uid_ = change.state.next_uid;
    intake.first_record_ = change.state.next_record;
    intake.count_ = count;
    intake.txn_ = txn;
    bool moved = false;
    if (auto grown = files.index.grow(change.state.next_record + count, moved); !grown) {
      intake.files_ = nullptr;
      return grown.error();
    }
    if (moved) files.map_moved();
    if (auto taken = files.lock.take(LockFile::kUid + intake.first_uid_); !taken) {
      intake.files_ = nullptr;
      return taken.error();
    }
    files.own_uids.insert(intake.first_uid_);
    change.state.next_uid += count;
    change.state.next_record += count;
    TRY(change.commit());
    files.index.store_reservation(*free, {.uid = intake.first_uid_,
                                          .count = count,
                                          .record = intake.first_record_,
                                          .state = kReserved,
                                          .txn = txn,
                                          .pid = static_cast<std::uint32_t>(getpid()),
                                          .crc = 0});
    return intake;
  }
}

Result<void> Intake::write(std::vector<Row> rows, const CacheOf& cache_of,
                           const FlagsOf& flags_of) {
  ASSERT(rows.size() == count_);
  auto change = TRY(Change::begin(*files_, "write"));
  UidReservation* mine = slot();
  if (mine == nullptr) return fail(Errc::io, "{}: reservation lost", files_->id.hex());
  KeywordPlan plan(change, *files_);
  if (flags_of) TRY(flags_of(plan, rows));
  if (reader_) split_seen(rows);
  std::string piece;
  std::size_t begun = 0;
  std::vector<std::uint64_t> offsets(rows.size(), 0);
  const auto flush_piece = [&](std::size_t end) -> Result<void> {
    if (piece.empty()) return {};
    const std::uint64_t at =
        TRY(files_->cache.append(change.state, piece, files_->id, files_->partition));
    for (std::size_t i = begun; i < end; ++i)
      if (offsets[i] != UINT64_MAX) rows[i].cache = at + offsets[i];
    piece.clear();
    begun = end;
    return {};
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].uid = uid(i);
    rows[i].modseq = 0;
    rows[i].cache = 0;
    const std::string_view record = cache_of ? cache_of(i) : std::string_view();
    offsets[i] = record.empty() ? UINT64_MAX : piece.size();
    piece += record;
    if (piece.size() >= kCachePiece) TRY(flush_piece(i + 1));
  }
  TRY(flush_piece(rows.size()));
  if (txn_ != 0)
    change.add(LogType::prepare, encode_rows(first_record_, rows), 0, txn_);
  else
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto record = first_record_ + static_cast<std::uint32_t>(i);
      store_row(files_->index.block(block::of(record)), block::slot(record), rows[i]);
    }
  TRY(change.commit());
  change.end();
  return txn_ != 0 ? files_->sync_log() : Result<void>();
}

void Intake::split_seen(std::span<Row> rows) {
  own_seen_.user = *reader_;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if ((rows[i].flags & flag::seen) != 0) add_to_ranges(own_seen_.uids, uid(i));
    rows[i].flags &= ~std::uint64_t{flag::seen};
  }
}

Result<void> Intake::add_own_seen(Change& change) {
  if (own_seen_.uids.empty()) return {};
  TRY(files_->seen.of(own_seen_.user).reserve(own_seen_.uids.size()));
  change.add(LogType::seen, encode(own_seen_), change.next_modseq());
  own_seen_.uids.clear();
  return {};
}

Result<ModSeq> Intake::publish() {
  const std::int64_t deadline = steady_millis() + files_->shared.lock_limit_ms;
  for (;;) {
    auto change = TRY(Change::begin(*files_, "publish"));
    UidReservation* mine = slot();
    if (mine == nullptr && change.state.count <= first_record_)
      return fail(Errc::io, "{}: reservation lost", files_->id.hex());
    if (mine != nullptr && mine->state == kReserved) {
      UidReservation ready = *mine;
      ready.state = kReady;
      files_->index.store_reservation(*mine, ready);
    }
    TRY(add_own_seen(change));
    const auto busy = publish_ready(*files_, change);
    if (!busy) return busy.error();
    after_ = change.state;
    if (change.state.count > first_record_) {
      const Row row =
          load_row(files_->index.block(block::of(first_record_)), block::slot(first_record_));
      if (row.uid != first_uid_ || (row.flags & bits::kBurned) != 0)
        return fail(Errc::io, "{}: reservation burned", files_->id.hex());
      change.end();
      forget();
      return ModSeq(row.modseq);
    }
    change.end();
    TRY(files_->lock.await(LockFile::kUid + *busy, deadline - steady_millis()));
  }
}

void Intake::give_up() {
  if (auto change = Change::begin(*files_, "give up", 0, true)) {
    if (UidReservation* mine = slot(); mine != nullptr) {
      UidReservation burned = *mine;
      burned.state = kBurned;
      files_->index.store_reservation(*mine, burned);
    }
    (void)publish_ready(*files_, *change);
  }
  forget();
}

}  // namespace postern::store
