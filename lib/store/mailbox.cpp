// Mailbox: reading. Changes are in mailbox_changes.cpp, views in mailbox_views.cpp.
#include "lib/store/mailbox.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "lib/base/assert.h"
#include "lib/base/clock.h"
#include "lib/log/log.h"
#include "lib/store/fs.h"
#include "lib/store/mailbox_impl.h"
#include "lib/store/spool.h"

namespace postern::store {

MessageBytes::MessageBytes(MessageBytes&& other) noexcept
    : copy_(std::move(other.copy_)),
      map_(std::exchange(other.map_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MessageBytes& MessageBytes::operator=(MessageBytes&& other) noexcept {
  std::swap(copy_, other.copy_);
  std::swap(map_, other.map_);
  std::swap(size_, other.size_);
  return *this;
}

MessageBytes::~MessageBytes() {
  if (map_ != nullptr) fs().unmap(map_, size_);
}

Mailbox::Mailbox(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {
  impl_->files.watch_map(&blocks_);
}
Mailbox::~Mailbox() = default;

void MailboxAccess::set_head(Mailbox& mailbox, const State& state) {
  mailbox.impl_->head = state;
  mailbox.impl_->generation = mailbox.impl_->files.index.generation();
  mailbox.horizon_ = state.highestmodseq;
  refresh_own_seen(mailbox);
}

Result<void> MailboxAccess::same_records(const Mailbox& mailbox) {
  const Mailbox::Impl& impl = *mailbox.impl_;
  if (impl.files.index.generation() == impl.generation) return {};
  return fail(Errc::unavailable, "{}: the index was compacted meanwhile", impl.files.id.hex());
}

const MailboxId& Mailbox::id() const { return impl_->files.id; }
UidValidity Mailbox::uidvalidity() const { return impl_->files.uidvalidity; }
std::uint64_t Mailbox::board_value() const { return impl_->board_value; }
std::uint32_t Mailbox::board_slot() const { return impl_->files.board_slot; }

MailboxStatus status_of(const State& state, UidValidity uidvalidity, std::uint32_t unseen) {
  return {.exists = state.exists,
          .unseen = unseen,
          .deleted = state.deleted,
          .bytes = state.bytes,
          .deleted_bytes = state.deleted_bytes,
          .uidnext = Uid(state.uidnext),
          .uidvalidity = uidvalidity,
          .highestmodseq = ModSeq(state.highestmodseq),
          .recent_uid = Uid(state.recent_uid)};
}

MailboxStatus Mailbox::status() const {
  const State state = impl_->files.state().value_or(impl_->head);
  return status_of(state, impl_->files.uidvalidity,
                   has_own_seen_ ? own_unseen(state) : state.unseen);
}

// The first touch of a block: its checksums are verified. A row that a writer is changing is looked
// at again; what stays wrong is mended under the lock.
const char* Mailbox::touch(std::uint32_t number) const {
  MailboxFiles& files = impl_->files;
  ASSERT(files.index && block::first(number) < impl_->head.next_record);
  for (int attempt = 0; attempt < 2; ++attempt) {
    const BlockPtr rows = files.index.block(number);
    const std::uint32_t first = block::first(number);
    const std::uint32_t count = impl_->head.count > first ? impl_->head.count - first : 0;
    bool sound = true;
    for (std::uint32_t s = 0; s < std::min(rows.n, count) && sound; ++s) {
      int looks = 100;
      while (!(sound = row_is_sound(rows, s)) && --looks > 0) {
      }
    }
    if (sound) break;
    LOG(error, "mailbox.record_damaged", {"mailbox_id", files.id.hex()}, {"block", number});
    if (attempt == 0)
      if (auto change = Change::begin(files, "mend", 0, true)) (void)recover(files);
  }
  if (blocks_.size() <= number) blocks_.resize(number + 1, nullptr);
  blocks_[number] = files.index.block(number).base;
  return blocks_[number];
}

Flags Mailbox::flags(RecNo record) const {
  const FlagWord word = flag_word(record);
  Flags flags{.system = word.system, .keywords = word.keywords, .more = {}};
  if (!word.more) return flags;
  for (const std::uint16_t keyword :
       impl_->files.keywords.set(*cell<std::uint32_t>(record, column::kMore)))
    flags.more.emplace_back(keyword);
  return flags;
}

Result<Record> Mailbox::record(RecNo record) const {
  (void)uid(record);  // verifies the block at its first touch
  const Row row = TRY(impl_->files.row(record.value()));
  return Record{.uid = Uid(row.uid),
                .size = row.size,
                .internal_date = row.internal_date,
                .internal_zone = row.zone,
                .sent_date = row.sent_date,
                .save_date = row.save_date,
                .guid = row.guid,
                .thread_id = row.thread};
}

std::optional<RecNo> Mailbox::lower_bound(Uid uid) const {
  std::uint32_t low = 0, high = impl_->head.count;
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (this->uid(RecNo(middle)) < uid)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == impl_->head.count) return std::nullopt;
  return RecNo(low);
}

const std::vector<std::string>& Mailbox::keywords() const { return impl_->files.keywords.names(); }
std::uint32_t Mailbox::max_keywords() const { return impl_->files.shared.max_keywords; }

Result<MessageBytes> Mailbox::message(RecNo record) {
  const std::string path = impl_->files.message_path(uid(record).value());
  auto fd = fs().open(path, O_RDONLY);
  if (!fd && fd.error().code == Errc::no_such_object)
    return fail(Errc::expunged, "{}: is gone", path);
  if (!fd) return fd.error();
  MessageBytes bytes;
  const std::uint64_t size = TRY(fs().size_of(fd->get()));
  if (size != this->size(record))
    return fail(Errc::corrupt, "{}: {} bytes instead of {}", path, size, this->size(record));
  // A map, its page faults and its end cost more than to copy an ordinary message.
  constexpr std::uint64_t kWorthAMap = 64 << 10;
  if (size <= kWorthAMap) {
    bytes.copy_ = TRY(fs().read_at(fd->get(), 0, size));
    if (bytes.copy_.size() != size) return fail(Errc::corrupt, "{}: shorter than it was", path);
    return bytes;
  }
  bytes.map_ = TRY(fs().map(fd->get(), size, false));
  bytes.size_ = size;
  return bytes;
}

// Walks in order waited for memory at each record (its head stands on a page of its own): with this
// many on their way the ENVELOPEs of 100,000 messages took 20 ms instead of 46; with 8 or 16, 24.
constexpr std::uint32_t kAhead = 4;

Result<CachedFacts> Mailbox::facts(RecNo record) {
  const std::uint32_t r = record.value();
  const Guid guid = *cell<Guid>(record, column::kGuid);
  if (const auto own = impl_->rebuilt.find(r); own != impl_->rebuilt.end())
    if (auto facts = open_cache_record(own->second, guid, true)) return *facts;
  if (impl_->verified_facts.size() <= r / 64) impl_->verified_facts.resize(r / 64 + 64);
  std::uint64_t& word = impl_->verified_facts[r / 64];
  const std::uint64_t bit = std::uint64_t{1} << (r % 64);
  const auto offset =
      __atomic_load_n(cell<std::uint64_t>(record, column::kCache), __ATOMIC_ACQUIRE);
  if (const RecNo ahead(r + kAhead); ahead.value() < impl_->head.count)
    impl_->files.cache.prefetch(
        __atomic_load_n(cell<std::uint64_t>(ahead, column::kCache), __ATOMIC_RELAXED));
  if (auto facts = open_cache_record(impl_->files.cache.read(offset), guid, (word & bit) != 0)) {
    word |= bit;
    return *facts;
  }
  word &= ~bit;
  const MessageBytes bytes = TRY(message(record));
  BuiltFacts built = build_cache_record(bytes.bytes(), guid);
  LOG(notice, "cache.rebuilt", {"mailbox_id", id().hex()}, {"uid", uid(record)});
  auto change = Change::begin(impl_->files, "cache", 0, true);
  if (change && change->state.count > r && MailboxAccess::same_records(*this)) {
    const auto at =
        impl_->files.cache.append(change->state, built.record, id(), impl_->files.partition);
    if (at && change->commit()) {
      const BlockPtr rows = impl_->files.index.block(block::of(r));
      __atomic_store_n(rows.at<std::uint64_t>(column::kCache, block::slot(r)), *at,
                       __ATOMIC_RELEASE);
      if (auto facts = open_cache_record(impl_->files.cache.read(*at), guid, true)) return *facts;
    }
  }
  const std::string& kept = impl_->rebuilt[r] = std::move(built.record);
  return *open_cache_record(kept, guid, true);
}

}  // namespace postern::store
