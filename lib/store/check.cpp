// check and reconstruct: what is compared with what stands in doc/format.md, "Consistency".
#include "lib/store/check.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "lib/store/checkpoint.h"
#include "lib/store/fs.h"
#include "lib/store/header_file.h"
#include "lib/store/store_impl.h"

namespace postern::store {
namespace {

using Kind = Finding::Kind;

class Checker {
 public:
  Checker(Mailbox& mailbox, const meta::MailboxEntry& entry, const CheckOptions& options)
      : files_(MailboxAccess::impl(mailbox).files), entry_(entry), options_(options) {}

  Result<std::vector<Finding>> run() {
    header();
    if (auto done = index(); !done) return done.error();
    message_files();
    cache();
    return std::move(findings_);
  }

 private:
  void found(Kind kind, std::string what, std::optional<std::uint32_t> uid = std::nullopt) {
    findings_.push_back({.kind = kind,
                         .uid = uid ? std::optional(Uid(*uid)) : std::nullopt,
                         .what = std::move(what),
                         .repaired = false});
  }

  void header() {
    const auto header = read_header_file(files_.path("").substr(0, files_.path("").size() - 1));
    if (!header)
      found(Kind::header, header.error().text);
    else if (header->entry.id != entry_.id)
      found(Kind::header, "names another mailbox");
    else if (header->entry.version < entry_.version)
      found(Kind::header, "is older than the list");
  }

  Result<void> index() {
    if (!files_.index && !fs().open(files_.path("index"), O_RDONLY)) return {};
    auto change = TRY(Change::begin(files_, "check", 0, true));
    state_ = change.state;
    State sums;
    std::uint32_t last_uid = 0;
    for (std::uint32_t number = 0; number < block::count(state_.count); ++number) {
      rows(number, last_uid);
      const Summary counted = files_.index.count_rows(number, state_.count);
      const auto stored = files_.index.summary(number);
      if (!stored || std::memcmp(&*stored, &counted, sizeof counted) != 0)
        found(Kind::index, fmt::format("summary of block {}", number));
      sums.exists += counted.live;
      sums.unseen += counted.unseen;
      sums.deleted += counted.deleted;
      sums.bytes += counted.bytes;
      sums.deleted_bytes += counted.deleted_bytes;
    }
    if (sums.exists != state_.exists || sums.unseen != state_.unseen ||
        sums.deleted != state_.deleted || sums.bytes != state_.bytes ||
        sums.deleted_bytes != state_.deleted_bytes)
      found(Kind::index, fmt::format("counts: {} messages, {} unseen, {} bytes in the state, {}, "
                                     "{}, {} in the rows",
                                     state_.exists, state_.unseen, state_.bytes, sums.exists,
                                     sums.unseen, sums.bytes));
    if (state_.count > 0 && last_uid >= state_.uidnext) found(Kind::index, "uidnext is too low");
    for (std::size_t i = 0; i < kReservations; ++i)
      if (!IndexFile::is_sound(files_.index.reservations()[i]))
        found(Kind::index, fmt::format("reservation slot {}", i));
    log();
    if (state_.keywords_end > 0) preamble("keywords", kKeywordsMagic, Kind::keywords);
    KeywordTable table(files_.path("keywords"));
    if (auto read = table.refresh(state_); !read) found(Kind::keywords, read.error().text);
    if (table.names().size() != state_.keyword_count)
      found(Kind::keywords,
            fmt::format("{} of {} names", table.names().size(), state_.keyword_count));
    seen();
    return {};
  }

  void seen() {
    if (state_.seen == 0) return;
    const auto users = files_.seen.users();
    if (!users) return found(Kind::seen, users.error().text);
    for (const UserId& user : *users) {
      const auto damaged = seen_needs_mending(files_, state_, user);
      if (!damaged)
        found(Kind::seen, damaged.error().text);
      else if (*damaged)
        found(Kind::seen, fmt::format("seen.{}", user.hex()));
    }
  }

  void rows(std::uint32_t number, std::uint32_t& last_uid) {
    const BlockPtr block = files_.index.block(number);
    const std::uint32_t first = block::first(number);
    for (std::uint32_t s = 0; s < block.n && first + s < state_.count; ++s) {
      const Row row = load_row(block, s);
      if (!row_is_sound(block, s)) found(Kind::record, "bad checksum", row.uid);
      if (row.uid <= last_uid) found(Kind::record, "uids don't ascend", row.uid);
      if (row.modseq > state_.highestmodseq) found(Kind::record, "modseq too high", row.uid);
      last_uid = std::max(last_uid, row.uid);
      const std::uint32_t r = first + s;
      const bool live = (files_.index.live_word(r / 64) >> (r % 64) & 1) != 0;
      if (live != ((row.flags & bits::kExpunged) == 0))
        found(Kind::index, "live bitmap differs from the row", row.uid);
      rows_[row.uid] = row;
    }
  }

  void log() {
    const auto bytes = files_.log->read();
    if (!bytes) return found(Kind::log, bytes.error().text);
    const auto end = scan_log(std::string_view(*bytes).substr(sizeof(Preamble)), files_.id,
                              files_.log->generation(), sizeof(Preamble),
                              [](const LogRecord&) -> Result<void> { return {}; });
    if (!end || *end != state_.applied)
      found(Kind::log,
            fmt::format("sound up to {} instead of {}", end.value_or(0), state_.applied));
  }

  void message_files() {
    std::map<std::uint32_t, bool> there;
    for (const std::uint32_t uid : message_uids(files_.path(""))) there[uid] = true;
    for (const auto& [uid, row] : rows_) {
      const bool has_file = there.erase(uid) > 0;
      if ((row.flags & bits::kExpunged) != 0) {
        if (has_file && (row.flags & bits::kFileGone) != 0)
          found(Kind::stale, "file of a cleaned message", uid);
      } else if (!has_file) {
        found(Kind::file_missing, "no file", uid);
      } else {
        one_file(uid, row);
      }
    }
    for (const auto& [uid, yes] : there)
      if (uid < state_.uidnext && !files_.lock.is_taken(LockFile::kUid + uid))
        found(Kind::file_extra, "a message file without a record", uid);
  }

  void one_file(std::uint32_t uid, const Row& row) {
    const auto fd = fs().open(files_.message_path(uid), O_RDONLY);
    const auto size = fd ? fs().size_of(fd->get()) : Result<std::uint64_t>(fd.error());
    if (!size || *size != row.size)
      return found(Kind::file_size,
                   fmt::format("{} octets instead of {}", size.value_or(0), row.size), uid);
    if (!options_.full) return;
    const auto bytes = fs().read_at(fd->get(), 0, *size);
    if (!bytes || guid_of(*bytes) != row.guid)
      found(Kind::file_guid, "the octets are not those that were stored", uid);
  }

  /// Where nothing else reads it.
  void preamble(const char* name, std::string_view magic, Kind kind) {
    const auto file = fs().open(files_.path(name), O_RDONLY);
    if (!file) return;
    Preamble preamble;
    if (const auto bytes = fs().read_at(file->get(), 0, sizeof preamble);
        bytes && bytes->size() == sizeof preamble)
      std::memcpy(&preamble, bytes->data(), sizeof preamble);
    if (!check_preamble(preamble, magic, files_.id, name))
      found(kind, fmt::format("preamble of {}", name));
  }

  void cache() {
    if (state_.cache_end > 0) preamble("cache", kCacheMagic, Kind::cache);
    for (const auto& [uid, row] : rows_) {
      if ((row.flags & bits::kExpunged) != 0 || row.cache == 0) continue;
      if (!open_cache_record(files_.cache.read(row.cache), row.guid, false))
        found(Kind::cache, "bad cache record", uid);
    }
  }

  MailboxFiles& files_;
  const meta::MailboxEntry& entry_;
  CheckOptions options_;
  State state_;
  std::map<std::uint32_t, Row> rows_;
  std::vector<Finding> findings_;
};

bool needs_recovery(const std::vector<Finding>& findings) {
  return std::ranges::any_of(findings, [](const Finding& f) {
    return f.kind == Kind::index || f.kind == Kind::record || f.kind == Kind::log ||
           f.kind == Kind::keywords;
  });
}

/// What such a row says of its file may be wrong.
bool row_is_damaged(const std::vector<Finding>& findings, Uid uid) {
  return std::ranges::any_of(
      findings, [&](const Finding& f) { return f.kind == Kind::record && f.uid == uid; });
}

Result<void> write_preamble(MailboxFiles& files, const char* name, std::string_view magic) {
  const Preamble preamble = make_preamble(magic, files.id, files.partition, 1, UidValidity());
  const Fd file = TRY(fs().open(files.path(name), O_RDWR));
  TRY(fs().write_at(file.get(), 0, {reinterpret_cast<const char*>(&preamble), sizeof preamble}));
  return fs().sync_data(file.get());
}

Result<void> mend(Mailbox& mailbox, const meta::MailboxEntry& entry,
                  const std::vector<Finding>& findings) {
  MailboxFiles& files = MailboxAccess::impl(mailbox).files;
  if (needs_recovery(findings)) {
    const auto held = TRY(Change::begin(files, "repair", 0, true));
    TRY(recover(files));
  }
  if (std::ranges::find(findings, Kind::seen, &Finding::kind) != findings.end())
    for (const UserId& user : TRY(files.seen.users())) TRY(mend_seen(files, user));
  (void)mailbox.snapshot();
  for (const Finding& finding : findings) {
    if (finding.kind == Kind::header) {
      const std::string inside = files.path("");
      TRY(write_header(inside.substr(0, inside.size() - 1), {.entry = entry}));
    }
    if (finding.kind == Kind::keywords) (void)write_preamble(files, "keywords", kKeywordsMagic);
    if (finding.kind == Kind::cache && !finding.uid)
      (void)write_preamble(files, "cache", kCacheMagic);
    else if (finding.kind == Kind::cache)
      if (const auto record = mailbox.lower_bound(*finding.uid)) (void)mailbox.facts(*record);
    if (finding.kind == Kind::stale && finding.uid && !row_is_damaged(findings, *finding.uid))
      (void)fs().unlink(files.message_path(finding.uid->value()));
  }
  return {};
}

}  // namespace

std::string_view name_of(Finding::Kind kind) {
  switch (kind) {
    case Kind::header:
      return "header";
    case Kind::index:
      return "index";
    case Kind::record:
      return "record";
    case Kind::cache:
      return "cache";
    case Kind::log:
      return "log";
    case Kind::keywords:
      return "keywords";
    case Kind::seen:
      return "seen";
    case Kind::file_missing:
      return "file_missing";
    case Kind::file_size:
      return "file_size";
    case Kind::file_guid:
      return "file_guid";
    case Kind::file_extra:
      return "file_extra";
    case Kind::stale:
      return "stale";
  }
  return "unknown";
}

Result<std::vector<Finding>> check(Store& store, const meta::MailboxEntry& entry,
                                   const CheckOptions& options) {
  auto mailbox = TRY(StoreAccess::impl(store).open_any(store, entry));
  auto findings = TRY(Checker(*mailbox, entry, options).run());
  if (!options.repair || findings.empty()) return findings;
  TRY(mend(*mailbox, entry, findings));
  const auto left = TRY(Checker(*mailbox, entry, options).run());
  for (Finding& finding : findings)
    finding.repaired = std::ranges::none_of(left, [&](const Finding& other) {
      return other.kind == finding.kind && other.uid == finding.uid && other.what == finding.what;
    });
  return findings;
}

Result<std::vector<Finding>> reconstruct(Store& store, const meta::MailboxEntry& entry) {
  auto mailbox = TRY(StoreAccess::impl(store).open_any(store, entry));
  {
    MailboxFiles& files = MailboxAccess::impl(*mailbox).files;
    const auto held = TRY(Change::begin(files, "reconstruct", 0, true));
    TRY(recover(files));
  }
  return check(store, entry, {.full = true, .repair = true});
}

Result<std::optional<std::int64_t>> abandoned_since(Store& store, const std::string& directory) {
  const Header header = TRY(read_header_file(directory));
  if (header.state == HeaderState::creating) {
    struct stat st {};
    if (::stat((directory + "/header").c_str(), &st) != 0) return errno_error("stat", directory);
    return st.st_mtim.tv_sec;
  }
  auto mailbox = TRY(StoreAccess::impl(store).open_any(store, header.entry));
  const State state = TRY(MailboxAccess::impl(*mailbox).files.state());
  return state.mode == kDeleting ? std::optional(state.mode_time) : std::nullopt;
}

Result<std::vector<std::string>> mailbox_directories(const std::string& partition_path) {
  std::vector<std::string> found;
  for (const std::string& prefix : TRY(fs().list(partition_path))) {
    if (prefix.size() != 2 || !from_hex(prefix)) continue;
    for (const std::string& id : TRY(fs().list(partition_path + "/" + prefix)))
      if (MailboxId::from_hex(id)) found.push_back(partition_path + "/" + prefix + "/" + id);
  }
  std::ranges::sort(found);
  return found;
}

}  // namespace postern::store
