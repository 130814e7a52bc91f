#include "lib/store/checkpoint.h"

#include <fcntl.h>

#include <algorithm>
#include <cstring>

#include "lib/base/clock.h"
#include "lib/store/fs.h"

namespace postern::store {
namespace {

constexpr std::uint64_t kLogLimit = 1U << 20;

std::optional<FoundLog> read_log(const MailboxFiles& files, const char* name) {
  auto log = LogFile::open(files.path(name), files.id);
  if (!log) return std::nullopt;
  auto bytes = log->read();
  if (!bytes || bytes->size() < LogFile::kFirst) return std::nullopt;
  FoundLog found{name, log->generation(), State{}, std::move(*bytes)};
  bool sound = false;
  const auto first = [&](const LogRecord& record) -> Result<void> {
    if (record.type != LogType::checkpoint || record.payload.size() != sizeof(State))
      return fail(Errc::corrupt, "no checkpoint");
    std::memcpy(&found.checkpoint, record.payload.data(), sizeof(State));
    sound = true;
    return {};
  };
  const std::string_view head =
      std::string_view(found.bytes).substr(sizeof(Preamble), LogFile::kFirst - sizeof(Preamble));
  if (!scan_log(head, files.id, found.generation, sizeof(Preamble), first) || !sound)
    return std::nullopt;
  return found;
}

/// A copy that, with the log from its own state on, gives the index: page 0 is read first, so rows
/// are never older than the state.
Result<void> keep_copy(MailboxFiles& files) {
  const std::string fresh = files.path("index.prev.new");
  const Fd from = TRY(fs().open(files.path("index"), O_RDONLY));
  const Fd to = TRY(fs().open(fresh, O_WRONLY | O_CREAT | O_TRUNC));
  const std::uint64_t size = TRY(fs().size_of(from.get()));
  constexpr std::uint64_t kPiece = 1U << 20;
  for (std::uint64_t at = 0; at < size; at += kPiece) {
    const std::string piece = TRY(fs().read_at(from.get(), at, kPiece));
    TRY(fs().write_at(to.get(), at, piece));
  }
  TRY(fs().sync(to.get()));
  auto check = IndexFile::open(fresh, files.id);
  if (!check || !check->state()) return fail(Errc::in_use, "{}: a commit was in the way", fresh);
  return fs().rename(fresh, files.path("index.prev"));
}

Result<LogFile> begin_log(MailboxFiles& files, std::uint64_t generation, const State& start) {
  return LogFile::create(files.path("log.next"), files.id, files.partition, generation, start);
}

/// Whether the log may end here: nothing that began in it is still open.
bool may_switch(MailboxFiles& files, const State& now, std::uint64_t generation) {
  if (now.log_generation != generation || now.open_intents > 0) return false;
  const UidReservation* slots = files.index.reservations();
  return std::all_of(slots, slots + kReservations,
                     [](const UidReservation& r) { return r.state == kFree || r.txn == 0; });
}

Result<void> switch_log(MailboxFiles& files, LogFile next, State& state,
                        std::uint64_t end = LogFile::kFirst) {
  if (auto kept = fs().rename(files.path("log"), files.path("log.prev"));
      !kept && kept.error().code != Errc::no_such_object)
    return kept.error();
  TRY(fs().rename(files.path("log.next"), files.path("log")));
  state.log_generation = next.generation();
  state.applied = end;
  state.lease_position = 0;
  files.index.publish(state);
  files.log = std::move(next);
  return {};
}

}  // namespace

Result<void> put_in_place(MailboxFiles& files, std::uint64_t generation) {
  for (const FoundLog& found : find_logs(files)) {
    if (found.generation > generation) TRY(fs().unlink(files.path(found.name)));
    if (found.generation == generation && found.name != "log")
      TRY(fs().rename(files.path(found.name), files.path("log")));
  }
  return {};
}

std::vector<FoundLog> find_logs(const MailboxFiles& files) {
  std::vector<FoundLog> logs;
  for (const char* name : {"log.prev", "log", "log.next"})
    if (auto found = read_log(files, name)) logs.push_back(std::move(*found));
  std::ranges::sort(logs, {}, &FoundLog::generation);
  return logs;
}

bool checkpoint_due(const MailboxFiles& files, const State& state) {
  return state.applied > kLogLimit + files.index.size() / 4;
}

Result<void> checkpoint(MailboxFiles& files) {
  const State before = TRY(files.state());
  if (!files.index || before.open_intents > 0 || !files.lock) return {};
  if (!files.lock.take(LockFile::kCheckpoint)) return {};
  const auto work = [&]() -> Result<void> {
    // Everything up to before.applied is in the map by now, so this makes it durable.
    TRY(files.index.sync());
    TRY(files.keywords.sync());
    TRY(files.cache.sync());
    TRY(sync_seen(files, before));
    TRY(keep_copy(files));
    auto change = TRY(Change::begin(files, "checkpoint", 0, true));
    if (!may_switch(files, change.state, before.log_generation)) return {};
    TRY(put_in_place(files, before.log_generation));
    change.end();
    State start = before;
    seal(start);
    LogFile next = TRY(begin_log(files, before.log_generation + 1, start));
    TRY(files.log->sync());
    auto again = TRY(Change::begin(files, "checkpoint", 0, true));
    if (!may_switch(files, again.state, before.log_generation))
      return fs().unlink(files.path("log.next"));
    // A record of the new log must never be durable before those of the old one: the few that came
    // since the sync above are synced here, under the lock.
    TRY(files.log->sync());
    return switch_log(files, std::move(next), again.state);
  };
  auto done = work();
  files.lock.drop(LockFile::kCheckpoint);
  if (!done && done.error().code == Errc::in_use) return {};
  return done;
}

std::map<std::uint64_t, std::string> open_moves(const MailboxId& id,
                                                const std::vector<FoundLog>& logs) {
  std::map<std::uint64_t, std::string> moves;
  for (const FoundLog& log : logs)
    (void)scan_log(std::string_view(log.bytes).substr(LogFile::kFirst), id, log.generation,
                   LogFile::kFirst, [&](const LogRecord& record) -> Result<void> {
                     if (record.type == LogType::intent) moves[record.txn] = record.payload;
                     if (record.type == LogType::intent_end) moves.erase(record.txn);
                     return {};
                   });
  return moves;
}

Result<void> checkpoint_locked(MailboxFiles& files, State& state,
                               const std::vector<std::uint64_t>& arrived) {
  const auto moves = open_moves(files.id, find_logs(files));
  files.index.publish(state);
  TRY(files.index.sync());
  TRY(files.keywords.sync());
  TRY(files.cache.sync());
  TRY(sync_seen(files, state));
  TRY(keep_copy(files));
  TRY(put_in_place(files, state.log_generation));
  State start = state;
  start.log_generation = state.log_generation + 1;
  start.applied = LogFile::kFirst;
  start.lease_position = 0;
  start.open_intents = 0;
  seal(start);
  LogFile next = TRY(begin_log(files, start.log_generation, start));
  LogBatch carried(files.id, start.log_generation, LogFile::kFirst);
  for (const auto& [txn, payload] : moves) carried.add(LogType::intent, payload, 0, txn, 0);
  for (const std::uint64_t txn : arrived)
    carried.add(LogType::commit, encode_numbers({0, 0}), 0, txn, 0);
  if (!carried.empty()) {
    TRY(next.append(carried));
    TRY(next.sync());
  }
  state.open_intents = static_cast<std::uint32_t>(moves.size());
  return switch_log(files, std::move(next), state, LogFile::kFirst + carried.bytes().size());
}

}  // namespace postern::store
