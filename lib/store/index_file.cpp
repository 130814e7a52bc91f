#include "lib/store/index_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "lib/base/assert.h"
#include "lib/store/fs.h"

namespace postern::store {
namespace {

// Readers map far beyond the end, so that growth needs no new map.
constexpr std::uint64_t kMapAhead = std::uint64_t{256} << 20;
constexpr int kPatience = 1000;  // looks at something that a writer is changing

template <typename T>
T load(const T* at) {
  return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}
template <typename T>
void put(T* at, T value) {
  __atomic_store_n(at, value, __ATOMIC_RELEASE);
}

std::uint32_t crc_of(const Summary& summary, std::uint32_t number) {
  Summary copy = summary;
  copy.crc = 0;
  return crc32c_raw(&copy, sizeof copy, number + 1);
}

std::uint32_t crc_of(const UidReservation& reservation) {
  return crc32c_raw(&reservation, offsetof(UidReservation, crc), 0x52455356);
}

/// A copy word by word, so that each field is old or new and the compiler can't merge loads.
template <typename T>
T copy_words(const T* from) {
  static_assert(sizeof(T) % 8 == 0);
  std::uint64_t words[sizeof(T) / 8];
  const auto* at = reinterpret_cast<const std::uint64_t*>(from);
  for (std::size_t i = 0; i < sizeof(T) / 8; ++i) words[i] = load(at + i);
  T value;
  std::memcpy(&value, words, sizeof value);
  return value;
}

template <typename T>
void put_words(T* to, const T& from) {
  std::uint64_t words[sizeof(T) / 8];
  std::memcpy(words, &from, sizeof from);
  auto* at = reinterpret_cast<std::uint64_t*>(to);
  for (std::size_t i = 0; i < sizeof(T) / 8; ++i) put(at + i, words[i]);
}

}  // namespace

IndexFile::IndexFile(IndexFile&& other) noexcept { *this = std::move(other); }

IndexFile& IndexFile::operator=(IndexFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  std::swap(generation_, other.generation_);
  std::swap(base_, other.base_);
  std::swap(mapped_, other.mapped_);
  std::swap(size_, other.size_);
  return *this;
}

IndexFile::~IndexFile() {
  if (base_ != nullptr) fs().unmap(base_, mapped_);
}

Result<IndexFile> IndexFile::open(const std::string& path, const MailboxId& mailbox) {
  IndexFile index;
  index.fd_ = TRY(fs().open(path, O_RDWR));
  index.path_ = path;
  index.size_ = TRY(fs().size_of(index.fd_.get()));
  if (index.size_ < block::file_size(0)) return fail(Errc::corrupt, "{}: cut short", path);
  TRY(index.map_again(0));
  const Preamble preamble = index.page()->preamble;
  TRY(check_preamble(preamble, kIndexMagic, mailbox, path));
  index.generation_ = preamble.generation;
  return index;
}

std::optional<State> IndexFile::peek(const std::string& path, const MailboxId& mailbox,
                                     const std::string& boot) {
  constexpr std::size_t kHead = offsetof(IndexPage, live);
  const auto fd = fs().open(path, O_RDONLY);
  if (!fd) return std::nullopt;
  const auto head = fs().read_at(fd->get(), 0, kHead);
  const auto size = fs().size_of(fd->get());
  if (!head || head->size() != kHead || !size) return std::nullopt;
  IndexPage page;
  std::memcpy(reinterpret_cast<char*>(&page), head->data(), kHead);
  const State& state = page.commit % 2 == 0 ? page.state0 : page.state1;
  const bool sound = check_preamble(page.preamble, kIndexMagic, mailbox, path) &&
                     state.commit == page.commit && is_sealed(state);
  const bool current = page.superseded != kSuperseded &&
                       std::memcmp(page.boot.data(), boot.data(), page.boot.size()) == 0;
  if (!sound || !current || *size < block::file_size(state.count)) return std::nullopt;
  return state;
}

Result<IndexFile> IndexFile::create(const std::string& path, const MailboxId& mailbox,
                                    std::string_view partition, std::uint64_t generation,
                                    const State& state) {
  IndexFile index;
  index.fd_ = TRY(fs().open(path, O_RDWR | O_CREAT | O_TRUNC));
  index.path_ = path;
  index.size_ = block::file_size(state.count);
  TRY(fs().allocate(index.fd_.get(), index.size_));
  TRY(index.map_again(0));
  index.page()->preamble =
      make_preamble(kIndexMagic, mailbox, partition, generation, UidValidity(state.uidvalidity));
  index.generation_ = generation;
  index.set_boot(fs().boot_id());
  State first = state;
  first.index_generation = generation;
  index.publish(first);
  return index;
}

Result<void> IndexFile::map_again(std::uint64_t at_least) {
  const std::uint64_t page = 1U << 20;
  const std::uint64_t wanted = (std::max(size_, at_least) * 2 + kMapAhead) / page * page;
  char* fresh = TRY(fs().map(fd_.get(), wanted, true));
  if (base_ != nullptr) fs().unmap(base_, mapped_);
  base_ = fresh;
  mapped_ = wanted;
  return {};
}

bool IndexFile::superseded() const { return load(&page()->superseded) == kSuperseded; }

Result<State> IndexFile::state() const {
  for (int i = 0; i < kPatience; ++i) {
    const std::uint64_t commit = load(&page()->commit);
    const State state = copy_words(commit % 2 == 0 ? &page()->state0 : &page()->state1);
    if (state.commit == commit && is_sealed(state)) return state;
  }
  return fail(Errc::corrupt, "{}: no sound state", path_);
}

std::uint32_t IndexFile::lower_bound(std::uint32_t uid, std::uint32_t count) const {
  std::uint32_t low = 0, high = count;
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (*block(block::of(middle)).at<std::uint32_t>(column::kUid, block::slot(middle)) < uid)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

std::uint32_t IndexFile::count_live(std::uint32_t from, std::uint32_t end) const {
  std::uint32_t live = 0;
  while (from < end) {
    const std::uint32_t bits = std::min(64 - from % 64, end - from);
    const std::uint64_t mask = (~std::uint64_t{0} >> (64 - bits)) << (from % 64);
    live += static_cast<std::uint32_t>(std::popcount(live_word(from / 64) & mask));
    from += bits;
  }
  return live;
}

std::uint64_t IndexFile::live_word(std::uint32_t word) const {
  return load(reinterpret_cast<const std::uint64_t*>(base_ + block::bitmap_offset(word)));
}

void IndexFile::copy_live(std::span<std::uint64_t> out) const {
  for (std::size_t done = 0; done < out.size();) {
    const auto word = static_cast<std::uint32_t>(done);
    const std::size_t run = std::min<std::size_t>(block::bitmap_run(word), out.size() - done);
    const auto* from = reinterpret_cast<const std::uint64_t*>(base_ + block::bitmap_offset(word));
    for (std::size_t i = 0; i < run; ++i) out[done + i] = load(from + i);
    done += run;
  }
}

std::optional<Summary> IndexFile::summary(std::uint32_t number) const {
  const auto* at = reinterpret_cast<const Summary*>(base_ + block::summary_offset(number));
  for (int i = 0; i < kPatience / 10; ++i) {
    const Summary summary = copy_words(at);
    if (summary.crc == crc_of(summary, number)) return summary;
  }
  return std::nullopt;
}

Result<void> IndexFile::cover(std::uint32_t count, bool& moved) {
  const std::uint64_t wanted = block::file_size(count);
  if (wanted > size_) {
    size_ = TRY(fs().size_of(fd_.get()));
    if (wanted > size_) return fail(Errc::corrupt, "{}: too short for {} records", path_, count);
  }
  if (wanted <= mapped_) return {};
  moved = true;
  return map_again(wanted);
}

void IndexFile::let_go_of_pages() {
  constexpr std::uint64_t kWorthIt = 256 << 10;  // below, the refaults cost more than they save
  if (base_ == nullptr || size_ <= kWorthIt) return;
  const std::uint64_t end = std::min(size_, mapped_);
  // Bitmaps and summaries stay, 12 KB for 65,536 messages: the next view reads them all, and their
  // page faults were a third of the cost of SELECT.
  fs().let_go(base_ + block::kPage, std::min(end, block::small_end()) - block::kPage);
  for (std::uint64_t at = block::small_end() + block::kGroupMeta; at < end;
       at += block::kGroupBytes)
    fs().let_go(base_ + at, std::min(end - at, block::kGroupBytes - block::kGroupMeta));
}

Result<void> IndexFile::grow(std::uint32_t count, bool& moved) {
  const std::uint64_t wanted = block::file_size(count);
  if (wanted > size_) {
    // Blocks are allocated before use: a store into a hole of a full disk would be SIGBUS.
    TRY(fs().allocate(fd_.get(), wanted));
    size_ = wanted;
  }
  return cover(count, moved);
}

void IndexFile::publish(State& state) {
  ++state.commit;
  seal(state);
  put_words(state.commit % 2 == 0 ? &page()->state0 : &page()->state1, state);
  put(&page()->commit, state.commit);
}

void IndexFile::set_writing(bool on) { put(&page()->writing, on ? kWriting : std::uint64_t{0}); }
bool IndexFile::writing() const { return load(&page()->writing) != 0; }
void IndexFile::mark_superseded() { put(&page()->superseded, kSuperseded); }

bool IndexFile::written_under(const std::string& boot) const {
  return std::memcmp(page()->boot.data(), boot.data(), page()->boot.size()) == 0;
}
void IndexFile::set_boot(const std::string& boot) {
  std::memcpy(page()->boot.data(), boot.data(), page()->boot.size());
}

void IndexFile::set_live(std::uint32_t record, bool live) {
  auto* word = reinterpret_cast<std::uint64_t*>(base_ + block::bitmap_offset(record / 64));
  const std::uint64_t bit = std::uint64_t{1} << (record % 64);
  put(word, live ? *word | bit : *word & ~bit);
}

void IndexFile::set_live_word(std::uint32_t word, std::uint64_t bits) {
  put(reinterpret_cast<std::uint64_t*>(base_ + block::bitmap_offset(word)), bits);
}

void IndexFile::raise_summary(std::uint32_t number, std::uint64_t modseq, bool expunge) {
  auto* at = reinterpret_cast<Summary*>(base_ + block::summary_offset(number));
  Summary summary = *at;
  summary.max_modseq = std::max(summary.max_modseq, modseq);
  if (expunge) summary.max_expunge = std::max(summary.max_expunge, modseq);
  summary.crc = crc_of(summary, number);
  put_words(at, summary);
}

Summary IndexFile::count_rows(std::uint32_t number, std::uint32_t count) const {
  const BlockPtr rows = block(number);
  const std::uint32_t first = block::first(number);
  const std::uint32_t size = std::min(rows.n, count > first ? count - first : 0);
  const auto* flags = rows.at<std::uint64_t>(column::kFlags, 0);
  const auto* modseqs = rows.at<std::uint64_t>(column::kModseq, 0);
  const auto* sizes = rows.at<std::uint64_t>(column::kSize, 0);
  Summary summary;
  for (std::uint32_t slot = 0; slot < size; ++slot) {
    summary.max_modseq = std::max(summary.max_modseq, modseqs[slot]);
    if ((flags[slot] & bits::kExpunged) != 0) {
      summary.max_expunge = std::max(summary.max_expunge, modseqs[slot]);
      continue;
    }
    ++summary.live;
    summary.unseen += (flags[slot] & flag::seen) == 0 ? 1 : 0;
    summary.bytes += sizes[slot];
    if ((flags[slot] & flag::deleted) == 0) continue;
    ++summary.deleted;
    summary.deleted_bytes += sizes[slot];
  }
  if (size > 0) {
    summary.first_uid = *rows.at<std::uint32_t>(column::kUid, 0);
    summary.last_uid = *rows.at<std::uint32_t>(column::kUid, size - 1);
  }
  summary.crc = crc_of(summary, number);
  return summary;
}

Summary IndexFile::recompute(std::uint32_t number, std::uint32_t count) {
  const Summary summary = count_rows(number, count);
  put_words(reinterpret_cast<Summary*>(base_ + block::summary_offset(number)), summary);
  return summary;
}

bool IndexFile::is_sound(const UidReservation& reservation) {
  const UidReservation empty{};
  return reservation.crc == crc_of(reservation) ||
         std::memcmp(&reservation, &empty, sizeof empty) == 0;
}

void IndexFile::store_reservation(UidReservation& slot, UidReservation value) {
  value.crc = crc_of(value);
  put_words(&slot, value);
}

Result<void> IndexFile::sync() {
  fs().mapped_stores(fd_.get());
  return fs().sync_data(fd_.get());
}

}  // namespace postern::store
