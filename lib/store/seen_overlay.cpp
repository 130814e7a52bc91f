#include "lib/store/seen_overlay.h"

#include <fcntl.h>

#include <cstring>

#include "lib/base/clock.h"
#include "lib/log/log.h"
#include "lib/store/checkpoint.h"
#include "lib/store/files.h"
#include "lib/store/fs.h"

namespace postern::store {
namespace {

constexpr std::string_view kPrefix = "seen.";
constexpr std::uint64_t kStep = 4'096;
constexpr std::uint64_t kLong = 64U << 10;  // octets beyond twice what the ranges need
constexpr std::size_t kDetail = 4'096;      // ranges whose modseqs are kept apart

std::uint32_t seed_of(const MailboxId& mailbox, const UserId& user) {
  return crc32c_raw(user.bytes.data(), user.bytes.size(),
                    crc32c_raw(mailbox.bytes.data(), mailbox.bytes.size()));
}

std::vector<SeenRange> changes_of(const SeenPayload& payload, std::uint64_t modseq) {
  std::vector<SeenRange> changes;
  for (const Range& uids : payload.uids)
    changes.push_back(
        SeenRange::of(uids.first, std::uint64_t{uids.first} + uids.count, payload.seen, modseq));
  return changes;
}

/// Calls `each` for the changes of \Seen in `logs`, oldest first.
void each_change(const MailboxId& mailbox, const std::vector<FoundLog>& logs,
                 const std::function<void(const SeenPayload&, std::uint64_t)>& each) {
  for (const FoundLog& log : logs)
    (void)scan_log(std::string_view(log.bytes).substr(LogFile::kFirst), mailbox, log.generation,
                   LogFile::kFirst, [&](const LogRecord& record) -> Result<void> {
                     if (record.type != LogType::seen) return {};
                     if (const auto payload = decode_seen(record.payload))
                       each(*payload, record.modseq);
                     return {};
                   });
}

}  // namespace

SeenOverlay::SeenOverlay(std::string path, const MailboxId& mailbox, const UserId& user,
                         std::string_view partition)
    : path_(std::move(path)),
      mailbox_(mailbox),
      partition_(partition),
      seed_(seed_of(mailbox, user)) {}

Preamble SeenOverlay::preamble(std::uint64_t generation) const {
  return make_preamble(kSeenMagic, mailbox_, partition_, generation, UidValidity());
}

/// 0 if there is no sound preamble; where it is all zero, the power went before it was written.
Result<std::uint64_t> SeenOverlay::read_generation(int fd, bool& whole) const {
  Preamble head;
  const std::string bytes = TRY(fs().read_at(fd, 0, sizeof head));
  whole = bytes.find_first_not_of('\0') == std::string::npos;
  if (whole || bytes.size() < sizeof head) return 0;
  std::memcpy(&head, bytes.data(), sizeof head);
  const auto sound = check_preamble(head, kSeenMagic, mailbox_, path_);
  if (!sound && sound.error().code != Errc::corrupt) return sound.error();
  whole = sound.has_value();
  return sound ? head.generation : 0;
}

Result<void> SeenOverlay::refresh() {
  auto file = fs().open(path_, O_RDONLY);
  if (!file && file.error().code != Errc::no_such_object) return file.error();
  const std::uint64_t size = file ? TRY(fs().size_of(file->get())) : 0;
  bool whole = true;
  const std::uint64_t generation = size == 0 ? 0 : TRY(read_generation(file->get(), whole));
  if (generation != generation_ || generation == 0) {
    ranges_ = {};
    end_ = sizeof(Preamble);
    generation_ = generation;
    damaged_ = !whole;
  }
  rubbish_ = false;
  if (size <= end_) return {};
  const std::string bytes = TRY(fs().read_at(file->get(), end_, size - end_));
  const SeenRead read = read_seen(bytes, seed_, ranges_);
  damaged_ = damaged_ || read.damaged;
  rubbish_ = bytes.find_first_not_of('\0', read.end) != std::string::npos;
  end_ += read.end;
  return {};
}

bool SeenOverlay::fits(const State& state) const {
  return std::ranges::all_of(ranges_.all(), [&](const SeenRange& range) {
    return range.end() <= state.next_uid && range.modseq() <= state.highestmodseq;
  });
}

bool SeenOverlay::is_long() const {
  if (end_ <= kLong) return false;
  SeenRanges fewer = ranges_;
  fewer.coarsen(kDetail, [](std::uint64_t, std::uint64_t) { return false; });
  return end_ > 2 * fewer.all().size_bytes() + kLong;
}

Result<void> SeenOverlay::reserve(std::size_t ranges) {
  TRY(refresh());
  const Fd file = TRY(fs().open(path_, O_RDWR | O_CREAT));
  if (generation_ == 0 && !damaged_) {
    const Preamble head = preamble(1);
    TRY(fs().write_at(file.get(), 0, {reinterpret_cast<const char*>(&head), sizeof head}));
    generation_ = 1;
  }
  const std::uint64_t most = end_ + encode_seen(std::vector<SeenRange>(ranges), 0).size();
  if (most <= TRY(fs().size_of(file.get()))) return {};
  return fs().allocate(file.get(), (most + kStep - 1) / kStep * kStep);
}

Result<void> SeenOverlay::add(std::span<const SeenRange> changes) {
  TRY(reserve(changes.size()));
  SeenRanges after = ranges_;
  for (const SeenRange& change : changes) after.set(change);
  if (std::ranges::equal(after.all(), ranges_.all()) && !rubbish_) return {};
  const Fd file = TRY(fs().open(path_, O_RDWR));
  if (rubbish_) TRY(fs().truncate(file.get(), end_));
  const std::string bytes = encode_seen(changes, seed_);
  TRY(fs().write_at(file.get(), end_, bytes));
  end_ += bytes.size();
  ranges_ = std::move(after);
  rubbish_ = false;
  return {};
}

Result<void> SeenOverlay::rewrite(SeenRanges ranges) {
  const Preamble head =
      preamble(std::max(generation_ + 1, static_cast<std::uint64_t>(wall_seconds())));
  std::string bytes(reinterpret_cast<const char*>(&head), sizeof head);
  bytes += encode_seen(ranges.all(), seed_);
  TRY(replace_durably(path_, bytes));
  generation_ = head.generation;
  end_ = bytes.size();
  ranges_ = std::move(ranges);
  damaged_ = rubbish_ = false;
  return {};
}

Result<void> SeenOverlay::sync() {
  const auto file = fs().open(path_, O_RDWR);
  if (!file) return file.error().code == Errc::no_such_object ? Result<void>() : file.error();
  return fs().sync(file->get());
}

SeenOverlay& SeenOverlays::of(const UserId& user) {
  const auto known = open_.find(user);
  if (known != open_.end()) return known->second;
  std::string path = directory_ + "/" + std::string(kPrefix) + user.hex();
  return open_.try_emplace(user, std::move(path), mailbox_, user, partition_).first->second;
}

Result<void> SeenOverlays::apply(const LogRecord& record) {
  const SeenPayload payload = TRY(decode_seen(record.payload));
  if (payload.uids.empty()) return {};
  return of(payload.user).add(changes_of(payload, record.modseq));
}

void SeenOverlays::shorten(MailboxFiles& files) {
  std::vector<UserId> users;
  for (const auto& [user, overlay] : open_)
    if (overlay.is_long()) users.push_back(user);
  for (const UserId& user : users)
    if (const auto done = shorten_seen(files, user); !done)
      LOG(warning, "mailbox.seen_long", {"mailbox_id", mailbox_.hex()}, {"user_id", user.hex()},
          {"error", done.error().text});
}

Result<std::vector<UserId>> SeenOverlays::users() const {
  std::vector<UserId> users;
  for (const std::string& name : TRY(fs().list(directory_)))
    if (name.starts_with(kPrefix))
      if (const auto user = UserId::from_hex(std::string_view(name).substr(kPrefix.size())))
        users.push_back(*user);
  return users;
}

std::set<UserId> seen_users(const MailboxId& mailbox, const std::vector<FoundLog>& logs) {
  std::set<UserId> users;
  each_change(mailbox, logs,
              [&](const SeenPayload& payload, std::uint64_t) { users.insert(payload.user); });
  return users;
}

Result<void> sync_seen(MailboxFiles& files, const State& state) {
  if (state.seen == 0) return {};
  for (const UserId& user : seen_users(files.id, find_logs(files))) TRY(files.seen.of(user).sync());
  return {};
}

Result<bool> seen_needs_mending(MailboxFiles& files, const State& state, const UserId& user) {
  SeenOverlay& overlay = files.seen.of(user);
  TRY(overlay.refresh());
  return overlay.damaged() || overlay.has_rubbish() || !overlay.fits(state);
}

Result<void> mend_seen(MailboxFiles& files, const State& state, const UserId& user,
                       std::uint64_t modseq) {
  SeenOverlay& overlay = files.seen.of(user);
  TRY(overlay.refresh());
  SeenRanges ranges = overlay.ranges();
  each_change(files.id, find_logs(files), [&](const SeenPayload& payload, std::uint64_t at) {
    if (payload.user != user) return;
    for (const SeenRange& change : changes_of(payload, at)) ranges.set(change);
  });
  ranges.limit(state.next_uid, modseq);
  ranges.fill_gaps(state.uidnext, modseq);
  LOG(error, "mailbox.seen_mended", {"mailbox_id", files.id.hex()}, {"user_id", user.hex()},
      {"count", ranges.all().size()});
  return overlay.rewrite(std::move(ranges));
}

Result<void> mend_seen(MailboxFiles& files, const UserId& user) {
  auto change = TRY(Change::begin(files, "mend"));
  if (!TRY(seen_needs_mending(files, change.state, user))) return {};
  TRY(mend_seen(files, change.state, user, change.next_modseq()));
  change.add(LogType::seen, encode(SeenPayload{user, false, {}}), change.next_modseq());
  return change.commit();
}

Result<void> shorten_seen(MailboxFiles& files, const UserId& user) {
  auto change = TRY(Change::begin(files, "seen", 0, true));
  SeenOverlay& overlay = files.seen.of(user);
  TRY(overlay.refresh());
  SeenRanges ranges = overlay.ranges();
  ranges.coarsen(kDetail, [&](std::uint64_t from, std::uint64_t end) {
    for (std::uint32_t r =
             files.index.lower_bound(static_cast<std::uint32_t>(from), change.state.count);
         r < change.state.count; ++r) {
      const Row row = load_row(files.index.block(block::of(r)), block::slot(r));
      if (row.uid >= end) return true;
      if ((row.flags & bits::kExpunged) == 0) return false;
    }
    return end <= change.state.uidnext;
  });
  return overlay.rewrite(std::move(ranges));
}

}  // namespace postern::store
