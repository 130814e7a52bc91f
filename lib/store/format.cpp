#include "lib/store/format.h"

#include <openssl/sha.h>

#include <cstring>

#include "lib/base/clock.h"
#include "lib/base/wire.h"

namespace postern::store {
namespace {

std::uint32_t crc_of(const Preamble& preamble) {
  return crc32c_raw(&preamble, offsetof(Preamble, crc));
}

template <typename T>
T load(const T* at) {
  return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}
template <typename T>
void put(T* at, T value) {
  __atomic_store_n(at, value, __ATOMIC_RELEASE);
}

}  // namespace

Preamble make_preamble(std::string_view magic, const MailboxId& mailbox, std::string_view partition,
                       std::uint64_t generation, UidValidity uidvalidity) {
  Preamble preamble;
  std::memcpy(preamble.magic.data(), magic.data(), preamble.magic.size());
  preamble.partition = crc32c(partition);
  preamble.mailbox = mailbox.bytes;
  preamble.generation = generation;
  preamble.created = wall_seconds();
  preamble.uidvalidity = uidvalidity.value();
  preamble.crc = crc_of(preamble);
  return preamble;
}

Result<void> check_preamble(const Preamble& preamble, std::string_view magic,
                            const MailboxId& mailbox, std::string_view path) {
  if (std::memcmp(preamble.magic.data(), magic.data(), magic.size()) != 0)
    return fail(Errc::corrupt, "{}: not such a file", path);
  if (preamble.crc != crc_of(preamble)) return fail(Errc::corrupt, "{}: bad preamble", path);
  if (preamble.min_reader > kFormat)
    return fail(Errc::not_supported, "{}: format {} needs a later version", path, preamble.format);
  if (preamble.mailbox != mailbox.bytes)
    return fail(Errc::corrupt, "{}: belongs to another mailbox", path);
  return {};
}

void seal(State& state) { state.crc = crc32c_raw(&state, offsetof(State, crc)); }
bool is_sealed(const State& state) { return state.crc == crc32c_raw(&state, offsetof(State, crc)); }

std::uint16_t check_bits(std::uint32_t uid, std::uint64_t flags, std::uint64_t keywords,
                         std::uint64_t modseq, std::uint32_t more, std::uint64_t thread) {
  const std::uint64_t words[5] = {flags & ~bits::kCheck, keywords, modseq, thread,
                                  std::uint64_t{more} << 32 | uid};
  const std::uint32_t crc = crc32c_raw(words, sizeof words);
  return static_cast<std::uint16_t>(crc >> 16 ^ crc);
}

std::uint32_t immutable_crc(const Row& row) {
  const std::uint32_t crc = crc32c_raw(&row.uid, sizeof row.uid);
  return crc32c_raw(&row.zone, sizeof(Row) - offsetof(Row, zone), crc);
}

Row load_row(BlockPtr block, std::uint32_t slot) {
  using namespace column;
  Row row;
  row.modseq = load(block.at<std::uint64_t>(kModseq, slot));  // before flags: doc/locking.md
  row.flags = load(block.at<std::uint64_t>(kFlags, slot)) & ~bits::kCheck;
  row.keywords = load(block.at<std::uint64_t>(kKeywords, slot));
  row.thread = load(block.at<std::uint64_t>(kThread, slot));
  row.cache = load(block.at<std::uint64_t>(kCache, slot));
  row.more = load(block.at<std::uint32_t>(kMore, slot));
  row.uid = *block.at<std::uint32_t>(kUid, slot);
  std::memcpy(&row.zone, block.at<std::uint32_t>(kPlace, slot), 4);
  row.size = *block.at<std::uint64_t>(kSize, slot);
  row.internal_date = *block.at<std::int64_t>(kInternalDate, slot);
  row.sent_date = *block.at<std::int64_t>(kSentDate, slot);
  row.save_date = *block.at<std::int64_t>(kSaveDate, slot);
  row.guid = *block.at<Guid>(kGuid, slot);
  return row;
}

void store_row(BlockPtr block, std::uint32_t slot, const Row& row) {
  using namespace column;
  *block.at<std::uint32_t>(kUid, slot) = row.uid;
  *block.at<std::uint32_t>(kCrc, slot) = immutable_crc(row);
  std::memcpy(block.at<std::uint32_t>(kPlace, slot), &row.zone, 4);
  *block.at<std::uint64_t>(kSize, slot) = row.size;
  *block.at<std::int64_t>(kInternalDate, slot) = row.internal_date;
  *block.at<std::int64_t>(kSentDate, slot) = row.sent_date;
  *block.at<std::int64_t>(kSaveDate, slot) = row.save_date;
  *block.at<Guid>(kGuid, slot) = row.guid;
  put(block.at<std::uint64_t>(kThread, slot), row.thread);
  put(block.at<std::uint64_t>(kCache, slot), row.cache);
  put(block.at<std::uint32_t>(kMore, slot), row.more);
  put(block.at<std::uint64_t>(kKeywords, slot), row.keywords);
  const std::uint64_t check =
      check_bits(row.uid, row.flags, row.keywords, row.modseq, row.more, row.thread);
  put(block.at<std::uint64_t>(kFlags, slot),
      (row.flags & ~bits::kCheck) | check << bits::kCheckShift);
  put(block.at<std::uint64_t>(kModseq, slot), row.modseq);
}

bool flags_are_sound(BlockPtr block, std::uint32_t slot, std::uint32_t uid) {
  using namespace column;
  const std::uint64_t modseq = load(block.at<std::uint64_t>(kModseq, slot));
  const std::uint64_t flags = load(block.at<std::uint64_t>(kFlags, slot));
  const std::uint64_t keywords = load(block.at<std::uint64_t>(kKeywords, slot));
  const std::uint64_t thread = load(block.at<std::uint64_t>(kThread, slot));
  const std::uint32_t more = load(block.at<std::uint32_t>(kMore, slot));
  return flags >> bits::kCheckShift == check_bits(uid, flags, keywords, modseq, more, thread);
}

bool row_is_sound(BlockPtr block, std::uint32_t slot) {
  const Row row = load_row(block, slot);
  return immutable_crc(row) == *block.at<std::uint32_t>(column::kCrc, slot) &&
         flags_are_sound(block, slot, row.uid);
}

std::string encode_file_facts(const FileFacts& facts) {
  WireWriter out;
  out.put(std::uint8_t{1});  // version
  out.put(std::uint8_t{0});
  out.put(facts.zone);
  out.put(facts.size);
  out.put(facts.internal_date);
  out.put(facts.save_date);
  out.put_raw({reinterpret_cast<const char*>(facts.guid.bytes.data()), facts.guid.bytes.size()});
  return std::move(out).bytes();
}

Result<FileFacts> decode_file_facts(std::string_view bytes) {
  if (bytes.size() != 60 || bytes[0] != 1)
    return fail(Errc::corrupt, "extended attribute of {} bytes", bytes.size());
  WireReader in(bytes.substr(2));
  FileFacts facts;
  facts.zone = TRY(in.take<std::int16_t>());
  facts.size = TRY(in.take<std::uint64_t>());
  facts.internal_date = TRY(in.take<std::int64_t>());
  facts.save_date = TRY(in.take<std::int64_t>());
  const std::string_view guid = TRY(in.take_raw(facts.guid.bytes.size()));
  std::memcpy(facts.guid.bytes.data(), guid.data(), guid.size());
  return facts;
}

Guid guid_of(std::string_view bytes) {
  Guid guid;
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), guid.bytes.data());
  return guid;
}

}  // namespace postern::store
