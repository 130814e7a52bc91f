// Store: opening, and the life of mailboxes. Messages come in by deliver.cpp and copy.cpp.
#include "lib/store/store.h"

#include <fcntl.h>

#include <algorithm>

#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/log/log.h"
#include "lib/store/check.h"
#include "lib/store/checkpoint.h"
#include "lib/store/fs.h"
#include "lib/store/header_file.h"
#include "lib/store/store_impl.h"
#include "lib/store/strict_fs.h"

namespace postern::store {
namespace {

constexpr std::size_t kMostOpen = 256;
constexpr std::size_t kMostBlank = 4'096;

Result<void> make_directories(const std::string& path) {
  for (std::size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
    const auto made = fs().make_directory(path.substr(0, at));
    if (!made && made.error().code != Errc::conflict && at == std::string::npos)
      return made.error();
    if (at == std::string::npos) return {};
  }
}

void read_options(const config::Config& config, Shared& shared) {
  shared.lock_limit_ms = config.duration("store.lock_timeout").count();
  shared.flush_interval_ms = config.duration("store.flush_interval").count();
  shared.expunge_keep = config.duration("store.expunge_keep").count() / 1000;
  shared.tombstone_keep = config.duration("store.tombstone_keep").count() / 1000;
  shared.stage_memory = config.size("store.stage_memory");
  shared.max_keywords = static_cast<std::uint32_t>(config.integer("store.max_keywords"));
}

}  // namespace

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Store::~Store() { flush_due(true); }

Result<std::unique_ptr<Store>> Store::open(const config::Config& config, meta::Meta& meta,
                                           ChangeBoard& board) {
  auto impl = std::make_unique<Impl>(meta);
  read_options(config, impl->shared);
  if (config.boolean("store.strict_fsync")) use_strict_fs();
  impl->shared_seen = config.boolean("store.shared_seen");
  impl->shared.board = &board;
  impl->shared.meta = &meta;
  impl->shared.boot = fs().boot_id();
  random_bytes(&impl->shared.next_txn, sizeof impl->shared.next_txn);
  for (const auto& [name, path] : config.partitions()) impl->partitions[name] = path;
  for (const auto& [name, path] : impl->partitions) TRY(make_directories(path));
  return std::unique_ptr<Store>(new Store(std::move(impl)));
}

Result<std::string> Store::Impl::directory(const MailboxId& id, std::string_view partition) const {
  const auto at = partitions.find(partition.empty() ? "default" : partition);
  if (at == partitions.end())
    return fail(Errc::io, "partition {} isn't in the configuration", partition);
  const std::string hex = id.hex();
  return fmt::format("{}/{}/{}", at->second, hex.substr(0, 2), hex);
}

Result<std::string> Store::directory_of(const MailboxId& mailbox,
                                        std::string_view partition) const {
  return impl_->directory(mailbox, partition);
}

// The directory and a header that says `creating` are durable before the list knows the mailbox, so
// the list never names what isn't there, and rebuild-list never finds what was not made. metad
// knows of the directory before that, so that the nightly work finds one whose mailbox was never
// made.
Result<meta::MailboxEntry> Store::create(const meta::MailboxName& name, const meta::Acl& acl,
                                         std::string_view special_use, std::string_view partition) {
  meta::NewMailbox fresh{.name = name,
                         .id = random_mailbox_id(),
                         .partition = std::string(partition.empty() ? "default" : partition),
                         .acl = acl,
                         .special_use = std::string(special_use)};
  const std::string directory = TRY(impl_->directory(fresh.id, fresh.partition));
  TRY(impl_->meta.announce(fresh.id, fresh.partition));
  TRY(make_directories(directory));
  Header header;
  header.state = HeaderState::creating;
  header.entry.id = fresh.id;
  header.entry.name = name;
  header.entry.partition = fresh.partition;
  header.entry.acl = acl;
  header.entry.special_use = special_use;
  TRY(write_header(directory, header));
  auto entry = impl_->meta.create(fresh);
  if (!entry) {
    (void)remove_directory(fresh.id, fresh.partition);
    return entry.error();
  }
  header.entry = *entry;
  header.state = HeaderState::live;
  TRY(write_header(directory, header));
  (void)impl_->meta.outbox_done(entry->id, entry->version);
  return entry;
}

Result<void> Store::erase(const meta::MailboxEntry& entry) {
  auto mailbox = TRY(open_mailbox(entry));
  MailboxFiles& files = MailboxAccess::impl(*mailbox).files;
  const auto set_mode = [&](Mode mode) -> Result<void> {
    auto change = TRY(Change::begin(files, "delete", 0, true));
    change.add(LogType::mode, encode_numbers({mode, static_cast<std::uint64_t>(wall_seconds())}));
    return change.commit();
  };
  State begun = TRY(files.state());
  begun.mode = kDeleting;
  begun.mode_time = wall_seconds();
  report_usage(files, begun);  // before it is: whoever is killed in between leaves it due
  TRY(set_mode(kDeleting));
  if (auto erased = impl_->meta.erase(entry.name); !erased) {
    TRY(set_mode(kLive));
    report_usage(files, TRY(files.state()));
    return erased.error();
  }
  report_usage(files, State{.highestmodseq = mailbox->status().highestmodseq.value() + 1});
  impl_->open.erase(entry.id);
  return {};
}

Result<std::vector<meta::Renamed>> Store::rename(const meta::MailboxName& from,
                                                 const meta::MailboxName& to) {
  std::optional<meta::NewMailbox> inbox;
  // To another INBOX: the administrator renames the user, tree and all.
  if (from.is_inbox() && !to.is_inbox()) {
    const meta::MailboxEntry old = TRY(impl_->meta.lookup(from));
    inbox = meta::NewMailbox{.name = from,
                             .id = random_mailbox_id(),
                             .partition = old.partition,
                             .acl = old.acl,
                             .special_use = old.special_use};
    const std::string directory = TRY(impl_->directory(inbox->id, inbox->partition));
    TRY(impl_->meta.announce(inbox->id, inbox->partition));
    TRY(make_directories(directory));
    Header header;
    header.state = HeaderState::creating;
    header.entry = old;
    header.entry.id = inbox->id;
    TRY(write_header(directory, header));
  }
  auto renamed = TRY(impl_->meta.rename_tree(from, to, inbox));
  (void)drain_outbox();
  return renamed;
}

Result<std::shared_ptr<Mailbox>> Store::Impl::open_any(Store& store,
                                                       const meta::MailboxEntry& entry) {
  if (const auto at = open.find(entry.id); at != open.end()) {
    MailboxAccess::impl(*at->second).entry = entry;
    return at->second;
  }
  const std::string where = TRY(directory(entry.id, entry.partition));
  auto opened = std::shared_ptr<Mailbox>(
      MailboxAccess::make(std::make_unique<Mailbox::Impl>(shared, where, entry)));
  MailboxFiles& files = MailboxAccess::impl(*opened).files;
  const State state = TRY(files.state());
  if (!files.index && !fs().open(where, O_RDONLY | O_DIRECTORY))
    return fail(Errc::mailbox_deleted, "{}: no directory", where);
  MailboxAccess::set_head(*opened, state);
  if (open.size() >= kMostOpen) store.drop_cache();
  open[entry.id] = opened;
  return opened;
}

Result<std::shared_ptr<Mailbox>> Store::open_mailbox(const meta::MailboxEntry& entry) {
  auto opened = TRY(impl_->open_any(*this, entry));
  const State state = TRY(MailboxAccess::impl(*opened).files.state());
  if (state.mode == kDeleting) return fail(Errc::mailbox_deleted, "{}", entry.id.hex());
  if (state.open_intents > 0) TRY(impl_->resolve_moves(*this, *opened));
  // Without a name it is opened to finish a move: nobody reads it.
  if (!entry.name.empty()) TRY(MailboxAccess::read_as(*opened, TRY(impl_->own_reader_of(entry))));
  return opened;
}

Result<std::optional<UserId>> Store::Impl::own_reader_of(const meta::MailboxEntry& entry) {
  if (reader.empty() || shared_seen || entry.name.is_owned_by(reader))
    return std::optional<UserId>();
  if (!reader_id) reader_id = TRY(meta.user(reader, true)).id;
  return reader_id;
}

Result<std::optional<State>> Store::Impl::peek(const meta::MailboxEntry& entry) {
  const std::string where = TRY(directory(entry.id, entry.partition));
  if (auto state = IndexFile::peek(where + "/index", entry.id, shared.boot)) return state;
  // Before its first message it has a header only; its log comes first.
  if (!blank.contains(entry.id) || fs().open(where + "/log", O_RDONLY)) {
    blank.erase(entry.id);
    const auto names = fs().list(where);
    if (!names || *names != std::vector<std::string>{"header"}) return std::optional<State>();
    if (blank.size() >= kMostBlank) blank.clear();
    blank.insert(entry.id);
  }
  State empty;
  empty.uidvalidity = entry.uidvalidity.value();
  return std::optional<State>(empty);
}

// A client that asks for the STATUS of all mailboxes has most of them not open, and will not open
// them.
Result<MailboxStatus> Store::status(const meta::MailboxEntry& entry) {
  if (!impl_->open.contains(entry.id) && !TRY(impl_->own_reader_of(entry))) {
    const auto state = TRY(impl_->peek(entry));
    if (state && state->mode != kDeleting && state->open_intents == 0)
      return status_of(*state, entry.uidvalidity, state->unseen);
  }
  return TRY(open_mailbox(entry))->status();
}

void Store::set_session(std::uint64_t session) { impl_->shared.session = session; }

void Store::set_reader(const meta::UserName& user) {
  impl_->reader = user;
  impl_->reader_id.reset();
}

void Store::flush_due(bool now) {
  const std::int64_t limit = steady_millis() - impl_->shared.flush_interval_ms;
  for (const auto& [id, mailbox] : impl_->open) {
    MailboxFiles& files = MailboxAccess::impl(*mailbox).files;
    if (!files.dirty() || (!now && files.dirty_since() > limit)) continue;
    (void)files.sync_log();
    files.seen.shorten(files);
    const auto state = files.state();
    if (state && checkpoint_due(files, *state))
      if (auto done = checkpoint(files); !done)
        LOG(error, "mailbox.checkpoint_failed", {"mailbox_id", id.hex()},
            {"error", done.error().text});
  }
}

std::optional<std::int64_t> Store::rest() {
  flush_due();
  for (const auto& [id, mailbox] : impl_->open) {
    MailboxFiles& files = MailboxAccess::impl(*mailbox).files;
    files.cache.let_go_of_pages();
    if (files.index) files.index.let_go_of_pages();
  }
  return flush_in();
}

std::optional<std::int64_t> Store::flush_in() const {
  std::optional<std::int64_t> least;
  for (const auto& [id, mailbox] : impl_->open) {
    const MailboxFiles& files = MailboxAccess::impl(*mailbox).files;
    if (!files.dirty()) continue;
    const std::int64_t left =
        files.dirty_since() + impl_->shared.flush_interval_ms - steady_millis();
    least = std::min(least.value_or(INT64_MAX), std::max<std::int64_t>(0, left));
  }
  return least;
}

Result<std::size_t> Store::drain_outbox(std::size_t most) {
  const auto entries = TRY(impl_->meta.outbox(most));
  std::size_t done = 0;
  for (const meta::MailboxEntry& entry : entries) {
    const std::string directory = TRY(impl_->directory(entry.id, entry.partition));
    const auto old = read_header_file(directory);
    const bool newer = old && old->entry.version > entry.version;
    if (auto written = newer ? Result<void>() : write_header(directory, {.entry = entry});
        !written && written.error().code != Errc::no_such_object) {
      LOG(warning, "mailbox.header_not_written", {"mailbox_id", entry.id.hex()},
          {"error", written.error().text});
      continue;
    }
    TRY(impl_->meta.outbox_done(entry.id, entry.version));
    ++done;
  }
  return done;
}

void Store::drop_cache() {
  flush_due(true);
  std::erase_if(impl_->open, [](const auto& item) { return item.second.use_count() == 1; });
}

}  // namespace postern::store
