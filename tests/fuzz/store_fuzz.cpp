// Any octets as log, cache record, header or part of an index: no crash, no endless loop. The first
// octet chooses.
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "lib/base/assert.h"
#include "lib/log/log.h"
#include "lib/store/cache_file.h"
#include "lib/store/fs.h"
#include "lib/store/header_file.h"
#include "lib/store/index_file.h"
#include "lib/store/log_file.h"
#include "lib/store/seen_ranges.h"

namespace postern::store {
namespace {

MailboxId mailbox() {
  MailboxId id;
  id.bytes.fill(7);
  return id;
}

void read_log(std::string_view bytes) {
  (void)scan_log(bytes, mailbox(), 1, 0, [](const LogRecord&) -> Result<void> { return {}; });
  (void)decode_rows(bytes);
  (void)decode_flags(bytes);
  (void)decode_ranges(bytes);
  (void)decode_name(bytes);
  (void)decode_intent(bytes);
  (void)decode_seen(bytes);
}

void read_cache(std::string_view bytes) {
  if (const auto facts = open_cache_record(bytes, Guid(), true))
    (void)(facts->envelope.size() + facts->sections.size());
}

/// As a user's \Seen: octets of the file, and what they hold taken as changes in any order.
void read_ranges(std::string_view bytes) {
  SeenRanges ranges;
  const SeenRead read = read_seen(bytes, 0, ranges);
  ASSERT(read.end <= bytes.size());
  for (SeenRange change; bytes.size() >= sizeof change; bytes.remove_prefix(sizeof change)) {
    std::memcpy(&change, bytes.data(), sizeof change);
    if (change.first == 0 || change.count == 0 || change.end() > std::uint64_t{1} << 32) continue;
    ranges.set(change);
    ASSERT(ranges.modseq(Uid(change.first)) >= change.modseq());
  }
  std::uint64_t end = 1;
  for (const SeenRange& range : ranges.all()) {
    ASSERT(range.count > 0 && range.first >= end);
    end = range.end();
  }
  SeenRanges again;
  const std::string text = encode_seen(ranges.all(), 0);
  ASSERT(read_seen(text, 0, again).end == text.size() &&
         std::ranges::equal(again.all(), ranges.all()));
  ranges.coarsen(2, [](std::uint64_t from, std::uint64_t to) { return to - from < 3; });
  ranges.fill_gaps(end + 1, 1);
  ranges.limit(end, 1);
}

/// Octets laid over a sound index of 40 records, at an offset that they begin with.
void read_index(std::string_view bytes) {
  if (bytes.size() < 2) return;
  std::uint16_t at = 0;
  std::memcpy(&at, bytes.data(), 2);
  bytes.remove_prefix(2);
  static const std::string path =
      std::filesystem::temp_directory_path().string() + fmt::format("/store-fuzz-{}", getpid());
  State state;
  state.count = state.next_record = 40;
  auto made = IndexFile::create(path, mailbox(), "default", 1, state);
  if (!made) return;
  Fs kernel;
  const std::uint64_t size = made->size();
  if (at < size) (void)kernel.write_at(made->fd(), at, bytes.substr(0, size - at));
  auto index = IndexFile::open(path, mailbox());
  (void)kernel.unlink(path);
  if (!index) return;
  const auto now = index->state();
  bool moved = false;
  if (!now || !index->cover(now->count, moved)) return;
  for (std::uint32_t r = 0; r < now->count; ++r) {
    (void)row_is_sound(index->block(block::of(r)), block::slot(r));
    (void)index->live_word(r / 64);
  }
  for (std::uint32_t number = 0; number < block::count(now->count); ++number) {
    (void)index->summary(number);
    (void)index->count_rows(number, now->count);
  }
}

}  // namespace
}  // namespace postern::store

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace postern::store;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 5) {
    case 0:
      read_log(bytes);
      break;
    case 1:
      read_cache(bytes);
      break;
    case 2:
      (void)decode_header(bytes, "fuzz");
      break;
    case 4:
      read_ranges(bytes);
      break;
    default:
      read_index(bytes);
  }
  return 0;
}
