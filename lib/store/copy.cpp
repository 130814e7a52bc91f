// COPY and MOVE, by link. doc/locking.md, "Copy and move".
#include <algorithm>

#include "lib/base/clock.h"
#include "lib/log/log.h"
#include "lib/store/checkpoint.h"
#include "lib/store/fs.h"
#include "lib/store/store_impl.h"

namespace postern::store {
namespace {

/// The source rows of one COPY, still live, in uid order.
struct Selection {
  std::vector<Row> rows;  // with the flags that the copies will have
  std::uint64_t bytes = 0;
};

Result<Selection> select(const Mailbox& source, std::span<const RecNo> records,
                         const CarriedFlags& carried) {
  MailboxFiles& files = MailboxAccess::impl(source).files;
  const State state = TRY(files.state());
  TRY(MailboxAccess::same_records(source));
  Selection chosen;
  chosen.rows.reserve(records.size());
  for (const RecNo record : records) {
    if (record.value() >= state.count) continue;
    Row row = TRY(files.row(record.value()));
    if ((row.flags & bits::kExpunged) != 0) continue;
    row.flags = MailboxAccess::with_own_seen(source, row.uid, row.flags) & carried.system;
    if (!carried.keywords) row.keywords = row.more = 0;
    chosen.rows.push_back(row);
    chosen.bytes += row.size;
  }
  return chosen;
}

/// Keywords have numbers of their own in each mailbox.
class KeywordMap {
 public:
  KeywordMap(const KeywordTable& from, KeywordPlan& to) : from_(from), to_(to) {}
  Result<void> carry(Row& row) {
    if (row.keywords == 0 && row.more == 0) return {};
    const auto key = std::pair(row.keywords, row.more);
    auto at = known_.find(key);
    if (at == known_.end()) {
      std::vector<std::string> names;
      for (std::uint64_t left = row.keywords; left != 0; left &= left - 1)
        add(names, static_cast<std::uint32_t>(std::countr_zero(left)));
      for (const std::uint16_t number : from_.set(row.more)) add(names, number);
      const KeywordBits there = TRY(to_.resolve(names, true));
      at = known_.emplace(key, std::pair(there.low, to_.intern(there.more))).first;
    }
    row.keywords = at->second.first;
    row.more = at->second.second;
    return {};
  }

 private:
  void add(std::vector<std::string>& names, std::uint32_t number) const {
    if (number < from_.names().size()) names.push_back(from_.names()[number]);
  }
  const KeywordTable& from_;
  KeywordPlan& to_;
  std::map<std::pair<std::uint64_t, std::uint32_t>, std::pair<std::uint64_t, std::uint32_t>> known_;
};

Result<void> link_all(SpoolBatch& batch, const MailboxFiles& from, const Selection& chosen,
                      const MailboxFiles& to, const Intake& intake) {
  for (std::size_t i = 0; i < chosen.rows.size(); ++i)
    TRY(batch.link(from.message_path(chosen.rows[i].uid), to.message_path(intake.uid(i))));
  return batch.commit();
}

std::vector<Range> uid_ranges(const std::vector<Row>& rows) {
  std::vector<Range> ranges;
  for (const Row& row : rows) add_to_ranges(ranges, row.uid);
  return ranges;
}

/// Room for the copies at their destination. What moves within one quota root needs none: who has
/// used up a quota must be able to put mail into the trash.
Result<meta::Reservation> reserve_room(meta::Meta& meta, const Selection& chosen,
                                       const meta::MailboxEntry& to,
                                       const meta::MailboxEntry* moved_from) {
  auto held = meta.reserve(to.id, chosen.bytes, chosen.rows.size());
  if (held || held.error().code != Errc::over_quota || moved_from == nullptr) return held;
  const auto here = TRY(meta.quota_root_of(moved_from->name));
  const auto there = TRY(meta.quota_root_of(to.name));
  const bool same = here && there && here->root == there->root;
  return same ? Result<meta::Reservation>(meta::Reservation{}) : held;
}

Result<Copied> copy_as(meta::Meta& meta, MailboxFiles& from, const Selection& chosen,
                       Mailbox& target, std::uint64_t txn, const meta::MailboxEntry* moved_from) {
  MailboxFiles& to = MailboxAccess::impl(target).files;
  Copied copied;
  copied.uidvalidity = to.uidvalidity;
  copied.modseq = ModSeq(TRY(to.state()).highestmodseq);
  if (chosen.rows.empty()) return copied;
  const meta::Reservation quota =
      TRY(reserve_room(meta, chosen, MailboxAccess::impl(target).entry, moved_from));
  const auto work = [&]() -> Result<State> {
    auto intake = TRY(Intake::reserve(to, static_cast<std::uint32_t>(chosen.rows.size()), txn));
    intake.read_by(MailboxAccess::impl(target).reader);
    std::vector<Row> rows = chosen.rows;
    const std::int64_t now = wall_seconds();
    for (Row& row : rows) row.save_date = now;
    const auto cache_of = [&](std::size_t i) { return from.cache.read(chosen.rows[i].cache); };
    TRY(intake.write(std::move(rows), cache_of,
                     [&](KeywordPlan& plan, std::span<Row> all) -> Result<void> {
                       KeywordMap map(from.keywords, plan);
                       for (Row& row : all) TRY(map.carry(row));
                       return {};
                     }));
    SpoolBatch batch;
    if (auto linked = link_all(batch, from, chosen, to, intake); !linked) {
      batch.undo();
      return linked.error();
    }
    const std::uint32_t first = intake.uid(0);
    copied.modseq = TRY(intake.publish());
    for (std::size_t i = 0; i < chosen.rows.size(); ++i) {
      copied.source.emplace_back(chosen.rows[i].uid);
      copied.destination.emplace_back(first + static_cast<std::uint32_t>(i));
    }
    return intake.after();
  };
  auto after = work();
  if (after)
    report_usage(to, *after, quota);
  else if (quota.id != 0)
    meta.release(quota);
  if (!after) return after.error();
  return copied;
}

std::uint64_t move_byte(std::uint64_t txn) {
  return LockFile::kMove + txn % (std::uint64_t{1} << 32);
}

/// Takes out of `chosen` what is gone or on its way elsewhere with another session: a message is
/// moved once. Under the lock.
void drop_leaving(const MailboxFiles& from, const State& state, Selection& chosen) {
  std::vector<Range> leaving;
  if (state.open_intents > 0)
    for (const auto& [txn, payload] : open_moves(from.id, find_logs(from)))
      if (const auto other = decode_intent(payload))
        leaving.insert(leaving.end(), other->uids.begin(), other->uids.end());
  std::erase_if(chosen.rows, [&](const Row& row) {
    const auto at = std::ranges::find_if(leaving, [&](const Range& range) {
      return row.uid >= range.first && row.uid - range.first < range.count;
    });
    if (at != leaving.end()) return true;
    const std::uint32_t record = from.index.lower_bound(row.uid, state.count);
    if (record == state.count) return true;
    const Row now = load_row(from.index.block(block::of(record)), block::slot(record));
    return now.uid != row.uid || (now.flags & bits::kExpunged) != 0;
  });
  chosen.bytes = 0;
  for (const Row& row : chosen.rows) chosen.bytes += row.size;
}

/// Whether the move is still open: another process may have resolved it meanwhile. Under the lock.
bool is_open(const MailboxFiles& from, std::uint64_t txn) {
  return from.own_moves.contains(txn) || open_moves(from.id, find_logs(from)).contains(txn);
}

/// Expunges `uids` that are still live and closes the move.
Result<State> finish_move(MailboxFiles& from, std::span<const Range> uids, std::uint64_t txn) {
  auto change = TRY(Change::begin(from, "move", 0, true));
  if (!is_open(from, txn)) return change.state;
  RangesPayload gone{.value = static_cast<std::uint32_t>(wall_seconds()), .ranges = {}};
  const auto uid_at = [&](std::uint32_t r) {
    return *from.index.block(block::of(r)).at<std::uint32_t>(column::kUid, block::slot(r));
  };
  for (const Range& range : uids) {
    for (std::uint32_t record = from.index.lower_bound(range.first, change.state.count);
         record < change.state.count && uid_at(record) < range.first + range.count; ++record)
      if ((*from.index.block(block::of(record))
                .at<std::uint64_t>(column::kFlags, block::slot(record)) &
           bits::kExpunged) == 0)
        add_to_ranges(gone.ranges, record);
  }
  if (!gone.ranges.empty()) change.add(LogType::expunge, encode(gone), change.next_modseq(), txn);
  change.add(LogType::intent_end, {}, 0, txn);
  TRY(change.commit());
  const State after = change.state;
  change.end();
  TRY(from.sync_log());
  return after;
}

Result<void> drop_move(MailboxFiles& from, std::uint64_t txn) {
  auto change = TRY(Change::begin(from, "move", 0, true));
  if (!is_open(from, txn)) return {};
  change.add(LogType::intent_end, {}, 0, txn);
  return change.commit();
}

/// Whether `txn` has put its messages into the mailbox. Its recovery, if it needs one, has been run
/// by whoever opened it.
Result<bool> has_txn(MailboxFiles& files, std::uint64_t txn) {
  TRY(files.state());
  if (!files.index) return false;
  bool found = false;
  auto change = TRY(Change::begin(files, "look", 0, true));
  TRY(publish_ready(files, change));  // a dead mover's reservation is burned by this
  TRY(files.log->sync());             // so that it stays burned
  for (const char* name : {"log.prev", "log"}) {
    auto log = LogFile::open(files.path(name), files.id);
    if (!log) continue;
    const std::string bytes = TRY(log->read());
    if (bytes.size() < LogFile::kFirst) continue;
    TRY(scan_log(std::string_view(bytes).substr(sizeof(Preamble)), files.id, log->generation(),
                 sizeof(Preamble), [&](const LogRecord& record) -> Result<void> {
                   found = found || (record.txn == txn && (record.type == LogType::commit ||
                                                           record.type == LogType::append));
                   return {};
                 }));
  }
  return found;
}

}  // namespace

Result<Copied> Store::copy(Mailbox& source, std::span<const RecNo> records,
                           const meta::MailboxEntry& destination, const CarriedFlags& carried,
                           Gone gone) {
  MailboxFiles& from = MailboxAccess::impl(source).files;
  const auto target = TRY(open_mailbox(destination));
  const Selection chosen = TRY(select(source, records, carried));
  if (gone == Gone::refuse && chosen.rows.size() != records.size())
    return fail(Errc::expunged, "{} of {} messages are left", chosen.rows.size(), records.size());
  return copy_as(impl_->meta, from, chosen, *target, impl_->new_txn(), nullptr);
}

Result<Copied> Store::move(Mailbox& source, std::span<const RecNo> records,
                           const meta::MailboxEntry& destination, const CarriedFlags& carried) {
  MailboxFiles& from = MailboxAccess::impl(source).files;
  const auto target = TRY(open_mailbox(destination));
  MailboxFiles& to = MailboxAccess::impl(*target).files;
  Selection chosen = TRY(select(source, records, carried));
  const std::uint64_t txn = impl_->new_txn();
  IntentPayload intent{.destination = to.id,
                       .partition = to.partition,
                       .uidvalidity = to.uidvalidity.value(),
                       .uids = {}};
  {
    auto change = TRY(Change::begin(from, "move"));
    drop_leaving(from, change.state, chosen);
    if (chosen.rows.empty())
      return Copied{.uidvalidity = to.uidvalidity,
                    .source = {},
                    .destination = {},
                    .modseq = ModSeq(change.state.highestmodseq)};
    intent.uids = uid_ranges(chosen.rows);
    TRY(from.lock.take(move_byte(txn)));
    from.own_moves.insert(txn);
    change.add(LogType::intent, encode(intent), 0, txn);
    if (auto done = change.commit(); !done) {
      from.own_moves.erase(txn);
      from.lock.drop(move_byte(txn));
      return done.error();
    }
  }
  const auto work = [&]() -> Result<Copied> {
    TRY(from.sync_log());
    auto copied =
        copy_as(impl_->meta, from, chosen, *target, txn, &MailboxAccess::impl(source).entry);
    if (!copied) {
      (void)drop_move(from, txn);
      return copied.error();
    }
    const State after = TRY(finish_move(from, intent.uids, txn));
    MailboxAccess::set_head(source, after);
    copied->modseq = ModSeq(after.highestmodseq);
    report_usage(from, after);
    return copied;
  };
  auto copied = work();
  from.own_moves.erase(txn);
  from.lock.drop(move_byte(txn));
  return copied;
}

Result<void> Store::Impl::resolve_moves(Store& store, Mailbox& mailbox) {
  MailboxFiles& from = MailboxAccess::impl(mailbox).files;
  if (!from.lock) TRY(Change::begin(from, "look", 0, true));
  for (const auto& [txn, payload] : open_moves(from.id, find_logs(from))) {
    if (from.own_moves.contains(txn) || from.lock.is_taken(move_byte(txn))) continue;
    const IntentPayload intent = TRY(decode_intent(payload));
    meta::MailboxEntry entry;
    entry.id = intent.destination;
    entry.partition = intent.partition;
    entry.uidvalidity = UidValidity(intent.uidvalidity);
    bool arrived = false;
    if (auto target = store.open_mailbox(entry))
      arrived = TRY(has_txn(MailboxAccess::impl(**target).files, txn));
    else if (target.error().code != Errc::mailbox_deleted)
      return target.error();
    LOG(notice, "mailbox.move_resolved", {"mailbox_id", from.id.hex()},
        {"destination_id", intent.destination.hex()}, {"messages", total(intent.uids)},
        {"arrived", arrived ? "yes" : "no"});
    if (arrived)
      report_usage(from, TRY(finish_move(from, intent.uids, txn)));
    else
      TRY(drop_move(from, txn));
  }
  return {};
}

}  // namespace postern::store
