#include "lib/store/log_file.h"

#include <fcntl.h>

#include <algorithm>
#include <cstring>

#include "lib/base/clock.h"
#include "lib/base/wire.h"
#include "lib/store/fs.h"

namespace postern::store {
namespace {

constexpr std::uint64_t kStep = 4096, kMostAhead = 64U << 10;

std::uint32_t seed_of(const MailboxId& mailbox, std::uint64_t generation, std::uint64_t offset) {
  const std::uint64_t words[2] = {generation, offset};
  return crc32c_raw(words, sizeof words, crc32c_raw(mailbox.bytes.data(), mailbox.bytes.size()));
}

std::uint32_t crc_of(std::string_view record, std::uint32_t seed) {
  return crc32c(record.substr(8), seed);
}

template <typename T>
std::string_view raw(std::span<const T> items) {
  return {reinterpret_cast<const char*>(items.data()), items.size_bytes()};
}

template <typename T>
Result<std::vector<T>> take_items(WireReader& in, std::uint32_t count) {
  const std::string_view bytes = TRY(in.take_raw(std::size_t{count} * sizeof(T)));
  std::vector<T> items(count);
  if (count > 0) std::memcpy(items.data(), bytes.data(), bytes.size());
  return items;
}

Result<void> at_end(const WireReader& in) {
  if (!in.at_end()) return fail(Errc::bad_syntax, "log payload is too long");
  return {};
}

}  // namespace

void add_to_ranges(std::vector<Range>& ranges, std::uint32_t value) {
  if (!ranges.empty() && ranges.back().first + ranges.back().count == value)
    ++ranges.back().count;
  else
    ranges.push_back({value, 1});
}

std::uint64_t total(std::span<const Range> ranges) {
  std::uint64_t sum = 0;
  for (const Range& range : ranges) sum += range.count;
  return sum;
}

LogBatch::LogBatch(const MailboxId& mailbox, std::uint64_t generation, std::uint64_t offset)
    : mailbox_(mailbox), generation_(generation), offset_(offset) {}

void LogBatch::add(LogType type, std::string_view payload, std::uint64_t modseq, std::uint64_t txn,
                   std::uint64_t session) {
  LogHead head;
  head.length = static_cast<std::uint32_t>((sizeof head + payload.size() + 7) / 8 * 8);
  head.type = static_cast<std::uint8_t>(type);
  head.payload = static_cast<std::uint32_t>(payload.size());
  head.txn = txn;
  head.modseq = modseq;
  head.wall = wall_micros();
  head.session = session;
  const std::size_t begin = bytes_.size();
  bytes_.resize(begin + head.length);
  std::memcpy(bytes_.data() + begin, &head, sizeof head);
  payload.copy(bytes_.data() + begin + sizeof head, payload.size());
  head.crc = crc_of(std::string_view(bytes_).substr(begin),
                    seed_of(mailbox_, generation_, offset_ + begin));
  std::memcpy(bytes_.data() + begin, &head, sizeof head);
  essential_ = essential_ || type == LogType::expunge || type == LogType::mode;
}

Result<std::uint64_t> scan_log(std::string_view log, const MailboxId& mailbox,
                               std::uint64_t generation, std::uint64_t offset,
                               const std::function<Result<void>(const LogRecord&)>& each) {
  while (log.size() >= sizeof(LogHead)) {
    LogHead head;
    std::memcpy(&head, log.data(), sizeof head);
    if (head.length < sizeof head || head.length > log.size() || head.length % 8 != 0 ||
        head.payload > head.length - sizeof head)
      break;
    const std::string_view record = log.substr(0, head.length);
    if (head.crc != crc_of(record, seed_of(mailbox, generation, offset))) break;
    offset += head.length;
    TRY(each({.type = static_cast<LogType>(head.type),
              .txn = head.txn,
              .modseq = head.modseq,
              .session = head.session,
              .wall = head.wall,
              .payload = record.substr(sizeof head, head.payload),
              .end = offset}));
    log.remove_prefix(head.length);
  }
  return offset;
}

Result<LogFile> LogFile::open(const std::string& path, const MailboxId& mailbox) {
  LogFile log;
  log.fd_ = TRY(fs().open(path, O_RDWR));
  log.allocated_ = TRY(fs().size_of(log.fd_.get()));
  const std::string head = TRY(fs().read_at(log.fd_.get(), 0, sizeof(Preamble)));
  if (head.size() < sizeof(Preamble)) return fail(Errc::corrupt, "{}: cut short", path);
  Preamble preamble;
  std::memcpy(&preamble, head.data(), sizeof preamble);
  TRY(check_preamble(preamble, kLogMagic, mailbox, path));
  log.generation_ = preamble.generation;
  return log;
}

Result<LogFile> LogFile::create(const std::string& path, const MailboxId& mailbox,
                                std::string_view partition, std::uint64_t generation,
                                const State& state) {
  LogFile log;
  log.fd_ = TRY(fs().open(path, O_RDWR | O_CREAT | O_TRUNC));
  log.generation_ = generation;
  const Preamble preamble =
      make_preamble(kLogMagic, mailbox, partition, generation, UidValidity(state.uidvalidity));
  LogBatch batch(mailbox, generation, sizeof preamble);
  batch.add(LogType::checkpoint, {reinterpret_cast<const char*>(&state), sizeof state},
            state.highestmodseq, 0, 0);
  std::string bytes(reinterpret_cast<const char*>(&preamble), sizeof preamble);
  bytes += batch.bytes();
  log.allocated_ = 2 * kStep;
  TRY(fs().allocate(log.fd_.get(), log.allocated_));
  TRY(fs().write_at(log.fd_.get(), 0, bytes));
  TRY(fs().sync(log.fd_.get()));
  return log;
}

// Space is taken in steps that grow with the log, one step more than needed: that reserve lets a
// user expunge when the disk is full.
Result<void> LogFile::append(const LogBatch& batch) {
  const std::uint64_t end = batch.offset() + batch.bytes().size();
  const std::uint64_t ahead = std::clamp(end / kStep * kStep, kStep, kMostAhead);
  if (end + kStep > allocated_) {
    const std::uint64_t wanted = (end + ahead + kStep - 1) / kStep * kStep;
    if (auto grown = fs().allocate(fd_.get(), wanted); grown)
      allocated_ = wanted;
    else if (!batch.essential() || end > allocated_)
      return grown.error();
  }
  return fs().write_at(fd_.get(), batch.offset(), batch.bytes());
}

Result<void> LogFile::sync() { return fs().sync_data(fd_.get()); }

Result<std::string> LogFile::read() {
  const std::uint64_t size = TRY(fs().size_of(fd_.get()));
  return fs().read_at(fd_.get(), 0, size);
}

Result<void> LogFile::cut(std::uint64_t end) {
  TRY(fs().truncate(fd_.get(), end));
  allocated_ = (end + 2 * kStep) / kStep * kStep;
  return fs().allocate(fd_.get(), allocated_);
}

std::string encode_rows(std::uint32_t first_record, std::span<const Row> rows) {
  WireWriter out;
  out.put(first_record);
  out.put(static_cast<std::uint32_t>(rows.size()));
  out.put_raw(raw(rows));
  return std::move(out).bytes();
}

Result<RowsPayload> decode_rows(std::string_view payload) {
  WireReader in(payload);
  RowsPayload rows;
  rows.first_record = TRY(in.take<std::uint32_t>());
  const auto count = TRY(in.take<std::uint32_t>());
  rows.rows = TRY(take_items<Row>(in, count));
  TRY(at_end(in));
  return rows;
}

std::string encode(const FlagsPayload& flags) {
  WireWriter out;
  out.put(flags.keep);
  out.put(flags.add);
  out.put(flags.keep_keywords);
  out.put(flags.add_keywords);
  out.put(static_cast<std::uint32_t>(flags.ranges.size()));
  out.put(static_cast<std::uint32_t>(flags.more.size()));
  out.put_raw(raw(std::span(flags.ranges)));
  out.put_raw(raw(std::span(flags.more)));
  return std::move(out).bytes();
}

Result<FlagsPayload> decode_flags(std::string_view payload) {
  WireReader in(payload);
  FlagsPayload flags;
  flags.keep = TRY(in.take<std::uint64_t>());
  flags.add = TRY(in.take<std::uint64_t>());
  flags.keep_keywords = TRY(in.take<std::uint64_t>());
  flags.add_keywords = TRY(in.take<std::uint64_t>());
  const auto ranges = TRY(in.take<std::uint32_t>());
  const auto more = TRY(in.take<std::uint32_t>());
  flags.ranges = TRY(take_items<Range>(in, ranges));
  flags.more = TRY(take_items<MoreChange>(in, more));
  TRY(at_end(in));
  return flags;
}

std::string encode(const RangesPayload& ranges) {
  WireWriter out;
  out.put(ranges.value);
  out.put(static_cast<std::uint32_t>(ranges.ranges.size()));
  out.put_raw(raw(std::span(ranges.ranges)));
  return std::move(out).bytes();
}

Result<RangesPayload> decode_ranges(std::string_view payload) {
  WireReader in(payload);
  RangesPayload ranges;
  ranges.value = TRY(in.take<std::uint32_t>());
  const auto count = TRY(in.take<std::uint32_t>());
  ranges.ranges = TRY(take_items<Range>(in, count));
  TRY(at_end(in));
  return ranges;
}

std::string encode(const SeenPayload& seen) {
  WireWriter out;
  out.put_raw({reinterpret_cast<const char*>(seen.user.bytes.data()), seen.user.bytes.size()});
  out.put(static_cast<std::uint32_t>(seen.seen ? 1 : 0));
  out.put(static_cast<std::uint32_t>(seen.uids.size()));
  out.put_raw(raw(std::span(seen.uids)));
  return std::move(out).bytes();
}

Result<SeenPayload> decode_seen(std::string_view payload) {
  WireReader in(payload);
  SeenPayload seen;
  const std::string_view user = TRY(in.take_raw(seen.user.bytes.size()));
  std::memcpy(seen.user.bytes.data(), user.data(), user.size());
  seen.seen = TRY(in.take<std::uint32_t>()) != 0;
  const auto count = TRY(in.take<std::uint32_t>());
  seen.uids = TRY(take_items<Range>(in, count));
  TRY(at_end(in));
  return seen;
}

std::string encode_numbers(std::initializer_list<std::uint64_t> numbers) {
  WireWriter out;
  for (const std::uint64_t number : numbers) out.put(number);
  return std::move(out).bytes();
}

std::string encode(const NamePayload& name) {
  WireWriter out;
  out.put(name.number);
  out.put(name.at);
  out.put_bytes(name.bytes);
  return std::move(out).bytes();
}

Result<NamePayload> decode_name(std::string_view payload) {
  WireReader in(payload);
  NamePayload name;
  name.number = TRY(in.take<std::uint32_t>());
  name.at = TRY(in.take<std::uint64_t>());
  name.bytes = TRY(in.take_bytes());
  TRY(at_end(in));
  return name;
}

std::string encode(const IntentPayload& intent) {
  WireWriter out;
  out.put_raw({reinterpret_cast<const char*>(intent.destination.bytes.data()), 16});
  out.put_bytes(intent.partition);
  out.put(intent.uidvalidity);
  out.put(static_cast<std::uint32_t>(intent.uids.size()));
  out.put_raw(raw(std::span(intent.uids)));
  return std::move(out).bytes();
}

Result<IntentPayload> decode_intent(std::string_view payload) {
  WireReader in(payload);
  IntentPayload intent;
  const std::string_view id = TRY(in.take_raw(16));
  std::memcpy(intent.destination.bytes.data(), id.data(), id.size());
  intent.partition = TRY(in.take_bytes());
  intent.uidvalidity = TRY(in.take<std::uint32_t>());
  const auto count = TRY(in.take<std::uint32_t>());
  intent.uids = TRY(take_items<Range>(in, count));
  TRY(at_end(in));
  return intent;
}

}  // namespace postern::store
