// Recovery: after a power cut, or when the index is damaged. doc/format.md, "Recovery".
#include <fcntl.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <map>
#include <span>

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/log/log.h"
#include "lib/store/apply.h"
#include "lib/store/checkpoint.h"
#include "lib/store/files.h"
#include "lib/store/fs.h"
#include "lib/store/spool.h"

namespace postern::store {
namespace {

struct Prepared {
  std::uint64_t txn = 0;
  std::uint32_t first_record = 0;
  std::vector<Row> rows;
};

class Recovery {
 public:
  explicit Recovery(MailboxFiles& files) : files_(files), logs_(find_logs(files)) {}
  Result<void> run();

 private:
  Result<void> choose_base();
  Result<void> start_over(IndexFile* from, State start);
  Result<void> replay_logs();
  Result<void> note(const LogRecord& record);
  Result<void> take_in();
  Result<void> adopt(std::vector<Row> rows, std::uint64_t txn);
  bool all_there(const Prepared& prepared) const;
  void repair_rows();
  void drop_torn_facts();
  Result<void> mend_keywords();
  Result<void> mend_overlays();
  Result<void> define(LogType type, std::uint32_t number, std::string_view bytes);
  Result<void> mark_restored();
  std::optional<IndexFile> shadow();
  std::uint32_t uid_at(std::uint32_t record) const;
  bool has_flags_of(std::uint32_t record, std::uint32_t uid) const;
  Row from_spool(std::uint32_t record, std::uint32_t uid);
  void take_from_spool(std::uint32_t first, std::uint32_t end, std::span<const std::uint32_t> uids);
  void take_from_shadow(const IndexFile& shadow, std::vector<std::uint32_t>& bad);
  void put_row(std::uint32_t record, Row row);
  void jump();

  MailboxFiles& files_;
  std::vector<FoundLog> logs_;
  State state_;
  bool same_boot_ = false;
  bool only_spool_ = false;                     // neither index nor log
  std::uint64_t durable_cache_ = 0;             // records of the cache below this were synced
  std::map<std::uint32_t, Prepared> prepared_;  // by record
  std::vector<std::uint32_t> doubtful_;         // records whose damage the replay may have hidden
  std::vector<std::uint64_t> arrived_;          // transactions taken in
  std::vector<std::uint32_t> restored_;         // records of which only the file is known
  std::uint32_t adopted_ = 0, removed_ = 0, repaired_ = 0;
};

constexpr std::string_view kRestored = "restored";

std::uint64_t newest_of(const std::vector<FoundLog>& logs) {
  return logs.empty() ? 0 : logs.back().generation;
}

/// Records of `logs` from (generation, offset) on, through all later logs. Gives the end in the
/// newest.
Result<std::uint64_t> replay_from(const std::vector<FoundLog>& logs, const MailboxId& id,
                                  std::uint64_t generation, std::uint64_t offset, bool resync,
                                  const std::function<Result<void>(const LogRecord&)>& each) {
  std::uint64_t end = LogFile::kFirst;
  for (const FoundLog& log : logs) {
    if (log.generation < generation) continue;
    const std::uint64_t from = log.generation == generation ? offset : LogFile::kFirst;
    end = from;
    if (from > log.bytes.size()) continue;
    const std::string_view bytes = log.bytes;
    end = TRY(scan_log(bytes.substr(from), id, log.generation, from, each));
    // In a running system a record that isn't sound is damage, and what follows it was committed.
    for (std::uint64_t at = end + 8; resync && at + sizeof(LogHead) <= bytes.size(); at += 8) {
      const std::uint64_t next = TRY(scan_log(bytes.substr(at), id, log.generation, at, each));
      if (next != at) at = (end = next) - 8;
    }
  }
  return end;
}

Result<void> Recovery::start_over(IndexFile* from, State start) {
  const std::uint64_t generation = std::max<std::uint64_t>(
      {from != nullptr ? from->generation() : 0, files_.index ? files_.index.generation() : 0,
       static_cast<std::uint64_t>(wall_seconds())});
  auto fresh = TRY(IndexFile::create(files_.path("index.new"), files_.id, files_.partition,
                                     generation + 1, start));
  for (std::uint32_t r = 0; from != nullptr && r < start.count; ++r)
    store_row(fresh.block(block::of(r)), block::slot(r),
              load_row(from->block(block::of(r)), block::slot(r)));
  TRY(fresh.sync());
  TRY(fs().rename(files_.path("index.new"), files_.path("index")));
  if (files_.index) files_.index.mark_superseded();
  files_.index = std::move(fresh);
  files_.map_moved();
  state_ = start;
  state_.index_generation = generation + 1;
  return {};
}

// Rows come from the index, else from the copy of the last checkpoint, else from an empty one and
// the first log; the state from where the replay begins.
Result<void> Recovery::choose_base() {
  if (!files_.index) {
    auto opened = IndexFile::open(files_.path("index"), files_.id);
    if (opened) files_.index = std::move(*opened);
    files_.map_moved();
  }
  // A log whose records number another index belongs to a compaction that didn't come to its end.
  if (files_.index)
    std::erase_if(logs_, [&](const FoundLog& log) {
      return log.checkpoint.index_generation > files_.index.generation();
    });
  const auto has_log = [&](std::uint64_t generation) {
    return std::ranges::any_of(logs_, [&](const auto& l) { return l.generation == generation; });
  };
  auto prev = IndexFile::open(files_.path("index.prev"), files_.id);
  const auto prev_state = prev ? prev->state() : Result<State>(prev.error());
  const bool prev_good = prev_state && has_log(prev_state->log_generation) &&
                         prev_state->index_generation == logs_.back().checkpoint.index_generation;
  if (files_.index) {
    same_boot_ = files_.index.written_under(files_.shared.boot);
    const auto own = files_.index.state();
    if (own && (same_boot_ || logs_.empty())) {
      state_ = *own;
      return {};
    }
    if (!logs_.empty() && has_log(logs_.back().checkpoint.log_generation)) {
      state_ = logs_.back().checkpoint;
      durable_cache_ = state_.cache_end;
      return {};
    }
    if (prev_good) {
      state_ = *prev_state;
      return {};
    }
    if (own) {
      state_ = *own;
      return {};
    }
  }
  if (prev_good) return start_over(&*prev, *prev_state);
  State empty;
  empty.uidvalidity = files_.uidvalidity.value();
  empty.applied = LogFile::kFirst;
  if (!logs_.empty()) {
    empty.log_generation = logs_.front().generation;
    if (logs_.front().generation == 1) return start_over(nullptr, logs_.front().checkpoint);
    empty.uid_lease = logs_.back().checkpoint.uid_lease_written;
    empty.modseq_lease = logs_.back().checkpoint.modseq_lease_written;
  }
  LOG(error, "mailbox.rebuild_from_spool", {"mailbox_id", files_.id.hex()},
      {"reason", "neither index nor log is usable"});
  // Above any modseq that was ever told: they grow by 2^20 at an unclean stop at most.
  only_spool_ = true;
  empty.seen = 1;  // perhaps
  empty.highestmodseq =
      std::max(empty.modseq_lease, static_cast<std::uint64_t>(wall_seconds()) << 8);
  return start_over(nullptr, empty);
}

Result<void> Recovery::note(const LogRecord& record) {
  if (record.type == LogType::prepare) {
    RowsPayload rows = TRY(decode_rows(record.payload));
    prepared_[rows.first_record] = {record.txn, rows.first_record, std::move(rows.rows)};
  } else if (record.type == LogType::commit || record.type == LogType::burn) {
    std::uint64_t first = 0;
    if (record.payload.size() >= 8) std::memcpy(&first, record.payload.data(), 8);
    prepared_.erase(static_cast<std::uint32_t>(first));
  }
  return {};
}

Result<void> Recovery::replay_logs() {
  if (logs_.empty()) return {};
  Applier applier(files_.index, &files_.keywords, state_, files_.id, files_.partition,
                  &files_.seen);
  const std::uint64_t count = state_.count;
  bool moved = false;
  TRY(files_.index.grow(static_cast<std::uint32_t>(count), moved));
  state_.next_record = std::max(state_.next_record, state_.count);
  const std::uint64_t end =
      TRY(replay_from(logs_, files_.id, state_.log_generation, state_.applied, same_boot_,
                      [&](const LogRecord& record) -> Result<void> {
                        if (auto done = applier.apply(record); !done) {
                          LOG(error, "mailbox.log_damaged", {"mailbox_id", files_.id.hex()},
                              {"error", done.error().text});
                          return done.error().code == Errc::io ? done : Result<void>();
                        }
                        return note(record);
                      }));
  files_.map_moved();
  doubtful_ = applier.doubtful();
  state_.log_generation = newest_of(logs_);
  state_.applied = end;
  return {};
}

bool Recovery::all_there(const Prepared& prepared) const {
  return std::ranges::all_of(prepared.rows, [&](const Row& row) {
    const auto facts = probe_file(files_.message_path(row.uid));
    return facts && facts->size == row.size && facts->guid == row.guid;
  });
}

Result<void> Recovery::adopt(std::vector<Row> rows, std::uint64_t txn) {
  LogBatch batch(files_.id, state_.log_generation, 0);
  batch.add(LogType::append, encode_rows(state_.count, rows), state_.highestmodseq + 1, txn, 0);
  Applier applier(files_.index, &files_.keywords, state_, files_.id, files_.partition);
  state_.next_record = state_.count;
  const std::uint32_t first = state_.count;
  TRY(scan_log(batch.bytes(), files_.id, batch.generation(), 0,
               [&](const LogRecord& record) { return applier.apply(record); }));
  adopted_ += static_cast<std::uint32_t>(rows.size());
  if (only_spool_)
    for (std::uint32_t r = 0; r < rows.size(); ++r) restored_.push_back(first + r);
  return {};
}

// Deliveries that no record publishes: whole transactions of COPY, MOVE and MULTIAPPEND if all
// their files are there, single files if their octets are what their attribute says. Nobody was
// told that the others were stored.
Result<void> Recovery::take_in() {
  std::map<std::uint32_t, std::vector<Row>> found;  // by uid
  std::map<std::uint32_t, std::uint64_t> txns;
  std::set<std::uint32_t> prepared_uids;
  for (const auto& [record, prepared] : prepared_) {
    for (const Row& row : prepared.rows) prepared_uids.insert(row.uid);
    if (prepared.rows.front().uid < state_.uidnext) continue;
    if (all_there(prepared)) {
      found[prepared.rows.front().uid] = prepared.rows;
      txns[prepared.rows.front().uid] = prepared.txn;
      continue;
    }
    for (const Row& row : prepared.rows)
      if (fs().unlink(files_.message_path(row.uid))) ++removed_;
  }
  for (const std::uint32_t uid : message_uids(files_.path(""))) {
    if (uid < state_.uidnext || prepared_uids.contains(uid)) continue;
    if (files_.lock.is_taken(LockFile::kUid + uid)) continue;  // being delivered
    const std::string path = files_.message_path(uid);
    auto facts = verify_file(path);
    if (facts)
      found[uid] = {row_of(uid, *facts)};
    else if (facts.error().code == Errc::conflict)  // whole, but other octets: keep it for a human
      TRY(fs().rename(path, files_.path("lost." + std::to_string(uid))));
    else if (fs().unlink(path))
      ++removed_;
  }
  for (auto& [uid, rows] : found) {
    const std::uint64_t txn = txns[uid];
    if (txn != 0) arrived_.push_back(txn);
    TRY(adopt(std::move(rows), txn));
  }
  return {};
}

std::optional<IndexFile> Recovery::shadow() {
  State start;
  auto prev = IndexFile::open(files_.path("index.prev"), files_.id);
  if (prev && prev->state()) {
    start = *prev->state();
  } else if (!logs_.empty() && logs_.front().generation == 1) {
    start = logs_.front().checkpoint;
  } else {
    return std::nullopt;
  }
  auto made = IndexFile::create(files_.path("index.shadow"), files_.id, files_.partition, 1, start);
  if (!made) return std::nullopt;
  for (std::uint32_t r = 0; prev && r < start.count; ++r)
    store_row(made->block(block::of(r)), block::slot(r),
              load_row(prev->block(block::of(r)), block::slot(r)));
  Applier applier(*made, nullptr, start, files_.id, files_.partition);
  start.next_record = std::max(start.next_record, start.count);
  (void)replay_from(logs_, files_.id, start.log_generation, start.applied, true,
                    [&](const LogRecord& record) -> Result<void> {
                      (void)applier.apply(record);
                      return {};
                    });
  bool moved = false;
  if (!made->grow(std::max(state_.count, start.count), moved)) return std::nullopt;
  (void)fs().unlink(files_.path("index.shadow"));
  return std::move(*made);
}

std::optional<Row> sound_row(const IndexFile& index, std::uint32_t record) {
  const BlockPtr rows = index.block(block::of(record));
  const Row row = load_row(rows, block::slot(record));
  return row.uid != 0 && row_is_sound(rows, block::slot(record)) ? std::optional(row)
                                                                 : std::nullopt;
}

std::uint32_t Recovery::uid_at(std::uint32_t record) const {
  return *files_.index.block(block::of(record))
              .at<std::uint32_t>(column::kUid, block::slot(record));
}

/// Whether flags and keywords of the record are those of `uid`.
bool Recovery::has_flags_of(std::uint32_t record, std::uint32_t uid) const {
  return flags_are_sound(files_.index.block(block::of(record)), block::slot(record), uid);
}

Row Recovery::from_spool(std::uint32_t record, std::uint32_t uid) {
  if (auto facts = verify_file(files_.message_path(uid))) {
    Row row = row_of(uid, *facts);
    const Row old = load_row(files_.index.block(block::of(record)), block::slot(record));
    if (has_flags_of(record, uid)) {
      row.flags = old.flags;
      row.keywords = old.keywords;
      row.more = old.more;
    } else {
      restored_.push_back(record);
    }
    return row;
  }
  Row gone;
  gone.uid = uid;
  gone.flags = bits::kExpunged | bits::kBurned | bits::kFileGone;
  LOG(error, "mailbox.record_lost", {"mailbox_id", files_.id.hex()}, {"uid", uid});
  return gone;
}

// The records [first, end), between sound ones. Uids ascend, and each message file in between has a
// record: a uid that stands in a damaged one counts only where it leaves out no file and leaves
// room for the records behind it.
void Recovery::take_from_spool(std::uint32_t first, std::uint32_t end,
                               std::span<const std::uint32_t> uids) {
  std::uint32_t low = first > 0 ? uid_at(first - 1) : 0;
  const std::uint32_t high = end < state_.count ? uid_at(end) : state_.uidnext;
  auto file = std::ranges::upper_bound(uids, low);
  const auto behind = std::ranges::lower_bound(file, uids.end(), high);
  for (std::uint32_t r = first; r < end; ++r) {
    const std::uint32_t rest = end - r - 1;
    const auto files = static_cast<std::uint64_t>(behind - file);
    std::uint32_t most = high > rest ? high - rest - 1 : 0;
    if (files > 0) most = std::min(most, *file);
    // Files behind the last record may be deliveries that no record publishes yet: take_in().
    const std::uint32_t noted = uid_at(r);
    const bool spare = files <= rest || (end == state_.count && has_flags_of(r, noted));
    if (spare && noted > low && noted <= most)
      low = noted;
    else
      low = files > 0 && *file <= most ? *file : low + 1;
    put_row(r, from_spool(r, low));
    if (files > 0 && *file <= low) ++file;
  }
}

void Recovery::put_row(std::uint32_t record, Row row) {
  row.modseq = (row.flags & bits::kBurned) != 0 ? 0 : state_.highestmodseq;
  store_row(files_.index.block(block::of(record)), block::slot(record), row);
}

void Recovery::take_from_shadow(const IndexFile& shadow, std::vector<std::uint32_t>& bad) {
  for (const std::uint32_t r : doubtful_)
    if (const auto row = r < state_.count ? sound_row(shadow, r) : std::nullopt)
      store_row(files_.index.block(block::of(r)), block::slot(r), *row);
  std::erase_if(bad, [&](std::uint32_t r) {
    const auto row = sound_row(shadow, r);
    if (row) put_row(r, *row);
    return row.has_value();
  });
}

void Recovery::repair_rows() {
  std::vector<std::uint32_t> bad;
  for (std::uint32_t r = 0; r < state_.count; ++r)
    if (!row_is_sound(files_.index.block(block::of(r)), block::slot(r))) bad.push_back(r);
  repaired_ = static_cast<std::uint32_t>(bad.size());
  if (bad.empty() && doubtful_.empty()) return;
  if (const auto other = shadow()) take_from_shadow(*other, bad);
  const auto uids = bad.empty() ? std::vector<std::uint32_t>() : message_uids(files_.path(""));
  for (auto at = bad.begin(); at != bad.end();) {
    const std::uint32_t first = *at;
    std::uint32_t end = first;
    for (; at != bad.end() && *at == end; ++at) ++end;
    take_from_spool(first, end, uids);
  }
}

// The cache is synced with a checkpoint only: what came later may be torn, or missing. Such facts
// are built again from the message when they are asked for.
void Recovery::drop_torn_facts() {
  const std::uint64_t end = file_end(files_.path("cache"));
  if (end < durable_cache_) durable_cache_ = 0;
  for (std::uint32_t r = 0; r < state_.count; ++r) {
    const BlockPtr rows = files_.index.block(block::of(r));
    const Row row = load_row(rows, block::slot(r));
    if (row.cache == 0 || row.cache < durable_cache_) continue;
    if (!open_cache_record(files_.cache.read(row.cache), row.guid, false))
      *rows.at<std::uint64_t>(column::kCache, block::slot(r)) = 0;
  }
  state_.cache_end = end < sizeof(Preamble) ? 0 : std::max(state_.cache_end, end);
}

// Names that neither the file nor a log has any more get one by which they can be told apart.
Result<void> Recovery::mend_keywords() {
  files_.keywords.forget();
  if (files_.keywords.refresh(state_)) return {};
  KeywordTable::Contents known = KeywordTable::salvage(files_.path("keywords"));
  (void)replay_from(
      logs_, files_.id, 0, LogFile::kFirst, true, [&](const LogRecord& record) -> Result<void> {
        if (record.type != LogType::keyword && record.type != LogType::set) return {};
        const NamePayload name = TRY(decode_name(record.payload));
        (record.type == LogType::set ? known.sets : known.names)[name.number] = name.bytes;
        return {};
      });
  (void)fs().unlink(files_.path("keywords"));
  files_.keywords.forget();
  state_.keywords_end = sizeof(Preamble);
  const auto write = [&](bool is_set, std::uint32_t number, const std::string& bytes) {
    const std::string entry = KeywordTable::entry(is_set, number, bytes);
    auto written =
        files_.keywords.write_entry(state_.keywords_end, entry, files_.id, files_.partition);
    state_.keywords_end += entry.size();
    return written;
  };
  for (std::uint32_t n = 0; n < state_.keyword_count; ++n)
    TRY(write(false, n, known.names.contains(n) ? known.names[n] : fmt::format("$Lost{}", n)));
  for (std::uint32_t n = 1; n < state_.set_count; ++n) TRY(write(true, n, known.sets[n]));
  LOG(error, "mailbox.keywords_rebuilt", {"mailbox_id", files_.id.hex()},
      {"count", state_.keyword_count});
  files_.keywords.forget();
  return files_.keywords.refresh(state_);
}

// A power cut may have left holes between the records of a user's \Seen.
Result<void> Recovery::mend_overlays() {
  if (state_.seen == 0) return {};
  std::set<UserId> users = seen_users(files_.id, logs_);
  if (only_spool_)
    for (const UserId& user : TRY(files_.seen.users())) users.insert(user);
  for (const UserId& user : users)
    if (TRY(seen_needs_mending(files_, state_, user)))
      TRY(mend_seen(files_, state_, user, state_.highestmodseq));
  return {};
}

Result<void> Recovery::define(LogType type, std::uint32_t number, std::string_view bytes) {
  LogBatch batch(files_.id, state_.log_generation, 0);
  const std::uint64_t at = std::max<std::uint64_t>(state_.keywords_end, sizeof(Preamble));
  batch.add(type, encode(NamePayload{.number = number, .at = at, .bytes = bytes}), 0, 0, 0);
  Applier applier(files_.index, &files_.keywords, state_, files_.id, files_.partition);
  TRY(scan_log(batch.bytes(), files_.id, batch.generation(), 0,
               [&](const LogRecord& record) { return applier.apply(record); }));
  return files_.keywords.refresh(state_);
}

// A file alone doesn't say whether its message was expunged since: a keyword lets the user find
// what may have come back.
Result<void> Recovery::mark_restored() {
  if (restored_.empty()) return {};
  LOG(error, "mailbox.restored", {"mailbox_id", files_.id.hex()}, {"messages", restored_.size()},
      {"keyword", kRestored});
  const auto known = files_.keywords.find(kRestored);
  if (!known && state_.keyword_count >= files_.shared.max_keywords) return {};
  const auto number = known.value_or(static_cast<std::uint16_t>(state_.keyword_count));
  if (!known) TRY(define(LogType::keyword, number, kRestored));
  const bool is_bit = number < 64;
  std::uint32_t set = 0;
  if (!is_bit) {
    const auto had = files_.keywords.find_set({number});
    set = had.value_or(std::max<std::uint32_t>(1, state_.set_count));
    if (!had) TRY(define(LogType::set, set, KeywordTable::encode_set({number})));
  }
  for (const std::uint32_t r : restored_) {
    const BlockPtr rows = files_.index.block(block::of(r));
    const Row row = load_row(rows, block::slot(r));
    store_mutable(rows, block::slot(r), row.flags, is_bit ? std::uint64_t{1} << number : 0,
                  row.modseq, set);
  }
  return {};
}

// Numbers that may have been told to somebody and are lost are below the leases.
void Recovery::jump() {
  if (state_.settled != 0) return;
  state_.next_uid =
      std::max({state_.next_uid, state_.uidnext, state_.uid_lease, state_.uid_lease_written});
  state_.uidnext = state_.next_uid;
  state_.highestmodseq =
      std::max({state_.highestmodseq + 1, state_.modseq_lease, state_.modseq_lease_written});
}

Result<void> Recovery::run() {
  TRY(choose_base());
  TRY(replay_logs());
  state_.next_record = state_.count;
  const std::uint64_t before = state_.highestmodseq;
  jump();
  const std::uint32_t told = state_.uidnext;
  repair_rows();  // first: the last record's uid says which files are new
  state_.uidnext = 1;
  if (state_.count > 0)
    state_.uidnext = *files_.index.block(block::of(state_.count - 1))
                          .at<std::uint32_t>(column::kUid, block::slot(state_.count - 1)) +
                     1;
  TRY(take_in());
  state_.uidnext = std::max(state_.uidnext, told);
  state_.next_uid = std::max(state_.next_uid, state_.uidnext);
  state_.next_record = state_.count;
  drop_torn_facts();
  Applier counter(files_.index, nullptr, state_, files_.id, files_.partition);
  counter.count_all();
  for (std::size_t i = 0; i < kReservations; ++i)
    files_.index.store_reservation(files_.index.reservations()[i], UidReservation{});
  state_.settled = 0;
  state_.uid_lease = state_.uid_lease_written = state_.next_uid + 1'024;
  state_.modseq_lease = state_.modseq_lease_written =
      state_.highestmodseq + (std::uint64_t{1} << 20);
  TRY(mend_keywords());
  TRY(mend_overlays());
  TRY(mark_restored());
  TRY(checkpoint_locked(files_, state_, arrived_));
  files_.index.set_writing(false);
  files_.index.set_boot(files_.shared.boot);
  files_.shared.board->bump(files_.board_slot, ModSeq(state_.highestmodseq));
  LOG(notice, "mailbox.recovered", {"mailbox_id", files_.id.hex()}, {"messages", state_.exists},
      {"taken_in", adopted_}, {"removed", removed_}, {"repaired", repaired_},
      {"modseq_before", before}, {"modseq", state_.highestmodseq});
  return {};
}

}  // namespace

Result<void> recover(MailboxFiles& files) { return Recovery(files).run(); }

Result<void> replay(MailboxFiles& files, State& state) {
  const std::string bytes = TRY(files.log->read());
  Applier applier(files.index, &files.keywords, state, files.id, files.partition, &files.seen);
  const std::string_view rest =
      std::string_view(bytes).substr(std::min<std::size_t>(state.applied, bytes.size()));
  const std::uint64_t end =
      TRY(scan_log(rest, files.id, state.log_generation, state.applied,
                   [&](const LogRecord& record) { return applier.apply(record); }));
  applier.count_all();  // a summary may count what the state doesn't yet
  files.map_moved();
  const std::string_view behind = std::string_view(bytes).substr(std::min(end, bytes.size()));
  if (behind.find_first_not_of('\0') != std::string_view::npos) TRY(files.log->cut(end));
  LOG(notice, "mailbox.replayed", {"mailbox_id", files.id.hex()}, {"bytes", end - state.applied});
  state.applied = end;
  files.index.publish(state);
  files.index.set_writing(false);
  files.shared.board->bump(files.board_slot, ModSeq(state.highestmodseq));
  return files.keywords.refresh(state);
}

Result<void> open_log(MailboxFiles& files, const State& state) {
  if (files.log && files.log->generation() == state.log_generation) return {};
  TRY(files.sync_log());
  for (const char* name : {"log", "log.prev", "log.next"}) {
    auto log = LogFile::open(files.path(name), files.id);
    if (!log || log->generation() != state.log_generation) continue;
    files.log = std::move(*log);
    return {};
  }
  // The log is gone or damaged, the index is sound: begin a new one behind it.
  files.log.reset();
  TRY(recover(files));
  return {};
}

}  // namespace postern::store
