// Compaction: a new generation of the index without old tombstones. The name `index` is the switch:
// a log that numbers other records than the index of that name is ignored by recovery.
#include <fcntl.h>

#include <algorithm>

#include "lib/log/log.h"
#include "lib/store/apply.h"
#include "lib/store/checkpoint.h"
#include "lib/store/fs.h"

namespace postern::store {
namespace {

bool is_old(const Row& row, std::int64_t before) {
  constexpr std::uint64_t kGone = bits::kExpunged | bits::kFileGone;
  if ((row.flags & kGone) != kGone) return false;
  return static_cast<std::int64_t>((row.flags & bits::kTime) >> bits::kTimeShift) <= before;
}

std::vector<Row> kept_rows(const MailboxFiles& files, State& state, std::int64_t before) {
  std::vector<Row> rows;
  for (std::uint32_t r = 0; r < state.count; ++r) {
    const Row row = load_row(files.index.block(block::of(r)), block::slot(r));
    if (is_old(row, before))
      state.floor_modseq = std::max(state.floor_modseq, row.modseq);
    else
      rows.push_back(row);
  }
  return rows;
}

Result<IndexFile> build(MailboxFiles& files, const std::string& name, State& state,
                        const std::vector<Row>& rows) {
  auto index = TRY(IndexFile::create(files.path(name), files.id, files.partition,
                                     state.index_generation, state));
  for (std::uint32_t r = 0; r < rows.size(); ++r)
    store_row(index.block(block::of(r)), block::slot(r), rows[r]);
  Applier(index, nullptr, state, files.id, files.partition).count_all();
  index.publish(state);
  TRY(index.sync());
  return index;
}

}  // namespace

Result<void> compact(MailboxFiles& files, std::int64_t before) {
  const State seen = TRY(files.state());
  if (!files.index || (seen.count - seen.exists) * 4 < seen.count || seen.open_intents > 0)
    return {};
  auto change = TRY(Change::begin(files, "compact", 0, true));
  const UidReservation* slots = files.index.reservations();
  if (change.state.open_intents > 0 ||
      std::any_of(slots, slots + kReservations,
                  [](const UidReservation& r) { return r.state != kFree; }))
    return {};
  State state = change.state;
  const std::vector<Row> rows = kept_rows(files, state, before);
  if ((state.count - rows.size()) * 4 < state.count) return {};
  TRY(sync_seen(files, state));
  TRY(put_in_place(files, state.log_generation));
  const auto dropped = state.count - rows.size();
  state.count = state.next_record = static_cast<std::uint32_t>(rows.size());
  ++state.index_generation;
  ++state.log_generation;
  state.applied = LogFile::kFirst;
  state.lease_position = 0;
  State copy = state;
  TRY(build(files, "index.prev.new", copy, rows));
  auto index = TRY(build(files, "index.new", state, rows));
  LogFile log = TRY(LogFile::create(files.path("log.next"), files.id, files.partition,
                                    state.log_generation, state));
  TRY(fs().rename(files.path("index.new"), files.path("index")));
  files.index.mark_superseded();
  TRY(fs().rename(files.path("index.prev.new"), files.path("index.prev")));
  TRY(fs().rename(files.path("log"), files.path("log.prev")));
  TRY(fs().rename(files.path("log.next"), files.path("log")));
  const Fd directory = TRY(fs().open(files.path("."), O_RDONLY | O_DIRECTORY));
  TRY(fs().sync(directory.get()));
  files.index = std::move(index);
  files.map_moved();
  files.log = std::move(log);
  LOG(notice, "mailbox.compacted", {"mailbox_id", files.id.hex()}, {"count", dropped});
  return {};
}

}  // namespace postern::store
