// The nightly work on one mailbox, and the removal of deleted ones. Nothing here is needed for
// correctness; everything may be interrupted anywhere.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "lib/base/clock.h"
#include "lib/log/log.h"
#include "lib/store/checkpoint.h"
#include "lib/store/fs.h"
#include "lib/store/header_file.h"
#include "lib/store/store_impl.h"

namespace postern::store {
namespace {

constexpr std::int64_t kHour = 3'600;
constexpr std::uint32_t kBatch = 1'000;  // files unlinked between two looks at the mailbox

std::int64_t expunge_time(std::uint64_t flags) {
  return static_cast<std::int64_t>((flags & bits::kTime) >> bits::kTimeShift);
}

/// Calls `each` for expunged rows whose file is still there.
template <typename Each>
void each_kept(const MailboxFiles& files, std::uint32_t count, Each each) {
  for (std::uint32_t number = 0; number < block::count(count); ++number) {
    const auto summary = files.index.summary(number);
    if (summary && summary->max_expunge == 0) continue;
    const BlockPtr rows = files.index.block(number);
    const std::uint32_t first = block::first(number);
    for (std::uint32_t s = 0; s < rows.n && first + s < count; ++s) {
      const Row row = load_row(rows, s);
      if ((row.flags & (bits::kExpunged | bits::kFileGone)) == bits::kExpunged &&
          !each(first + s, row))
        return;
    }
  }
}

/// Unlinks what is due, one batch. Gives how many.
Result<std::size_t> unlink_batch(MailboxFiles& files, std::int64_t before) {
  const State state = TRY(files.state());
  if (!files.index || state.first_expunge == 0 || state.first_expunge > before) return 0;
  RangesPayload gone;
  each_kept(files, state.count, [&](std::uint32_t record, const Row& row) {
    if (expunge_time(row.flags) <= before) add_to_ranges(gone.ranges, record);
    return total(gone.ranges) < kBatch;
  });
  // The expunge is durable before the file goes, and the file has gone for good before the row says
  // so: a power cut brings nothing back.
  if (!files.lock) TRY(Change::begin(files, "clean", 0, true));
  TRY(files.log->sync());
  for (const Range& range : gone.ranges)
    for (std::uint32_t r = range.first; r < range.first + range.count; ++r)
      (void)fs().unlink(files.message_path(TRY(files.row(r)).uid));
  const Fd directory = TRY(fs().open(files.path("."), O_RDONLY | O_DIRECTORY));
  TRY(fs().sync(directory.get()));
  const std::uint64_t generation = files.index.generation();
  auto change = TRY(Change::begin(files, "clean", 0, true));
  if (files.index.generation() != generation) return 0;
  std::vector<std::uint32_t> done;
  for (const Range& range : gone.ranges)
    for (std::uint32_t i = 0; i < range.count; ++i) done.push_back(range.first + i);
  std::int64_t earliest = 0;
  each_kept(files, change.state.count, [&](std::uint32_t record, const Row& row) {
    if (std::ranges::binary_search(done, record)) return true;
    const std::int64_t time = expunge_time(row.flags);
    earliest = earliest == 0 ? time : std::min(earliest, time);
    return true;
  });
  gone.value = static_cast<std::uint32_t>(earliest);
  change.add(LogType::cleaned, encode(gone));
  TRY(change.commit());
  return done.size();
}

/// An interrupted DELETE: the list says whether it happened.
Result<void> finish_delete(Store::Impl& impl, MailboxFiles& files, const State& state) {
  if (state.mode != kDeleting || state.mode_time + kDeletePatience > wall_seconds()) return {};
  const auto listed = impl.meta.lookup(files.id);
  if (!listed)
    return listed.error().code == Errc::no_such_mailbox ? Result<void>() : listed.error();
  auto change = TRY(Change::begin(files, "undelete", 0, true));
  change.add(LogType::mode, encode_numbers({kLive, static_cast<std::uint64_t>(wall_seconds())}));
  LOG(notice, "mailbox.delete_undone", {"mailbox_id", files.id.hex()});
  return change.commit();
}

/// Ends the leases, so that a restart of the machine finds nothing to jump over.
Result<void> settle(MailboxFiles& files) {
  const State before = TRY(files.state());
  if (!files.index || before.settled != 0 || before.open_intents > 0) return {};
  TRY(files.index.sync());
  TRY(files.keywords.sync());
  {
    auto change = TRY(Change::begin(files, "settle", 0, true));
    const UidReservation* slots = files.index.reservations();
    const bool quiet = std::all_of(slots, slots + kReservations,
                                   [](const UidReservation& r) { return r.state == kFree; });
    if (change.state.applied != before.applied || !quiet) return {};
    change.add(LogType::settled,
               encode_numbers({change.state.next_uid, change.state.highestmodseq}));
    TRY(change.commit());
  }
  return files.sync_log();
}

void sweep_staging(const std::string& partition) {
  const auto names = fs().list(partition);
  if (!names) return;
  for (const std::string& name : *names) {
    struct stat st {};
    const std::string path = partition + "/" + name;
    if (!name.starts_with("t.") || ::stat(path.c_str(), &st) != 0) continue;
    if (st.st_ctim.tv_sec + kHour < wall_seconds()) (void)fs().unlink(path);
  }
}

/// Stopped anywhere, it leaves a directory that says that it was never made, or none.
Result<void> remove_files(const std::string& directory) {
  const std::string last = "header";
  const auto header = read_header_file(directory);
  if (header && header->state == HeaderState::live)
    TRY(write_header(directory, {.entry = header->entry, .state = HeaderState::creating}));
  auto names = fs().list(directory);
  if (!names) return names.error().code == Errc::no_such_object ? Result<void>() : names.error();
  std::ranges::partition(*names, [&](const std::string& name) { return name != last; });
  for (const std::string& name : *names) TRY(fs().unlink(directory + "/" + name));
  return fs().remove_directory(directory);
}

}  // namespace

Result<void> Store::clean(const meta::MailboxEntry& entry) {
  auto mailbox = TRY(impl_->open_any(*this, entry));
  MailboxFiles& files = MailboxAccess::impl(*mailbox).files;
  TRY(finish_delete(*impl_, files, TRY(files.state())));
  if (TRY(files.state()).open_intents > 0) TRY(impl_->resolve_moves(*this, *mailbox));
  const std::int64_t before =
      wall_seconds() - std::max<std::int64_t>(kHour, impl_->shared.expunge_keep);
  while (TRY(unlink_batch(files, before)) > 0) {
  }
  TRY(compact(files, wall_seconds() - impl_->shared.tombstone_keep));
  const State state = TRY(files.state());
  if (checkpoint_due(files, state)) TRY(checkpoint(files));
  TRY(settle(files));
  const State after = TRY(files.state());
  MailboxAccess::set_head(*mailbox, after);
  report_usage(files, after);
  sweep_staging(impl_->partitions[entry.partition.empty() ? "default" : entry.partition]);
  return {};
}

Result<void> Store::remove_directory(const MailboxId& mailbox, std::string_view partition) {
  const auto listed = impl_->meta.lookup(mailbox);
  if (listed) return fail(Errc::in_use, "{} is in the mailboxes list", mailbox.hex());
  if (listed.error().code != Errc::no_such_mailbox) return listed.error();
  const std::string directory = TRY(impl_->directory(mailbox, partition));
  impl_->open.erase(mailbox);
  TRY(remove_files(directory));
  return impl_->meta.unlisted_done(mailbox);
}

}  // namespace postern::store
