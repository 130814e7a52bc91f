#include "lib/store/apply.h"

#include <algorithm>

namespace postern::store {
namespace {

template <typename T>
void put(T* at, T value) {
  __atomic_store_n(at, value, __ATOMIC_RELEASE);
}

constexpr std::uint32_t kMostRecords = 0xFFFFFF00;

}  // namespace

void store_mutable(BlockPtr block, std::uint32_t slot, std::uint64_t flags, std::uint64_t keywords,
                   std::uint64_t modseq, std::uint32_t more) {
  const std::uint32_t uid = *block.at<std::uint32_t>(column::kUid, slot);
  const std::uint64_t thread = *block.at<std::uint64_t>(column::kThread, slot);
  const std::uint64_t check = check_bits(uid, flags, keywords, modseq, more, thread);
  put(block.at<std::uint32_t>(column::kMore, slot), more);
  put(block.at<std::uint64_t>(column::kKeywords, slot), keywords);
  put(block.at<std::uint64_t>(column::kFlags, slot),
      (flags & ~bits::kCheck) | check << bits::kCheckShift);
  put(block.at<std::uint64_t>(column::kModseq, slot), modseq);
}

// Where the check is wrong a message isn't gone because of this word: if the log says so, its
// record is applied too. Torn is what the log holds all of; the rest is damage.
std::uint64_t Applier::flags_of(std::uint32_t record) {
  const BlockPtr rows = index_.block(block::of(record));
  const std::uint32_t slot = block::slot(record);
  const std::uint64_t word = *rows.at<std::uint64_t>(column::kFlags, slot);
  if (flags_are_sound(rows, slot, *rows.at<std::uint32_t>(column::kUid, slot)))
    return word & ~bits::kCheck;
  doubtful_.push_back(record);
  return word & bits::kSystem;
}

template <typename Each>
void Applier::each_block(std::span<const Range> ranges, Each each) {
  for (Range range : ranges)
    while (range.count > 0) {
      const std::uint32_t number = block::of(range.first);
      const std::uint32_t slot = range.first - block::first(number);
      const std::uint32_t n = std::min(range.count, block::size(number) - slot);
      each(number, index_.block(number), slot, n);
      range.first += n;
      range.count -= n;
    }
}

void Applier::touch(std::uint32_t number) {
  if (touched_.empty() || touched_.back() != number) touched_.push_back(number);
}

Result<void> Applier::check(std::span<const Range> ranges) const {
  for (const Range& range : ranges)
    if (range.first >= state_.next_record || range.count > state_.next_record - range.first)
      return fail(Errc::corrupt, "log names records {}+{} of {}", range.first, range.count,
                  state_.next_record);
  return {};
}

Result<void> Applier::apply(const LogRecord& record) {
  switch (record.type) {
    case LogType::checkpoint:
      return {};
    case LogType::lease:
      return lease(record, false);
    case LogType::settled:
      return lease(record, true);
    default:
      break;
  }
  state_.settled = 0;
  state_.highestmodseq = std::max(state_.highestmodseq, record.modseq);
  switch (record.type) {
    case LogType::append:
      return append(record, true);
    case LogType::prepare:
      return append(record, false);
    case LogType::flags:
      return flags(record);
    case LogType::expunge:
      return expunge(record);
    case LogType::commit:
      return publish_prepared(record);
    case LogType::burn:
      return burn(record);
    case LogType::keyword:
      return keyword(record, false);
    case LogType::set:
      return keyword(record, true);
    case LogType::cleaned:
      return cleaned(record);
    case LogType::seen:
      state_.seen = 1;
      return seen_ == nullptr ? Result<void>() : seen_->apply(record);
    case LogType::mode: {
      const auto numbers = TRY(decode_numbers<2>(record.payload));
      state_.mode = static_cast<std::uint32_t>(numbers[0]);
      state_.mode_time = static_cast<std::int64_t>(numbers[1]);
      return {};
    }
    case LogType::recent: {
      const auto numbers = TRY(decode_numbers<1>(record.payload));
      state_.recent_uid = std::max(state_.recent_uid, static_cast<std::uint32_t>(numbers[0]));
      return {};
    }
    case LogType::intent:
      ++state_.open_intents;
      return {};
    case LogType::intent_end:
      if (state_.open_intents > 0) --state_.open_intents;
      return {};
    default:
      return fail(Errc::not_supported, "log record of type {}", static_cast<int>(record.type));
  }
}

Result<void> Applier::lease(const LogRecord& record, bool settled) {
  const auto numbers = TRY(decode_numbers<2>(record.payload));
  state_.uid_lease_written = static_cast<std::uint32_t>(numbers[0]);
  state_.modseq_lease_written = numbers[1];
  state_.lease_position = record.end;
  state_.settled = settled ? 1 : 0;
  if (!settled) return {};
  state_.uid_lease = state_.uid_lease_written;
  state_.modseq_lease = state_.modseq_lease_written;
  return {};
}

void Applier::raise_counts(std::uint32_t records, std::uint32_t uidnext) {
  state_.next_record = std::max(state_.next_record, records);
  state_.next_uid = std::max(state_.next_uid, uidnext);
}

Result<void> Applier::append(const LogRecord& record, bool publish) {
  const RowsPayload payload = TRY(decode_rows(record.payload));
  const std::uint32_t first = payload.first_record;
  if (payload.rows.empty() || first > kMostRecords - payload.rows.size())
    return fail(Errc::corrupt, "log appends {} rows at {}", payload.rows.size(), first);
  const auto end = static_cast<std::uint32_t>(first + payload.rows.size());
  TRY(index_.grow(end, moved_));
  std::uint32_t at = first;
  for (Row row : payload.rows) {
    const std::uint32_t number = block::of(at);
    row.modseq = publish ? record.modseq : 0;
    store_row(index_.block(number), block::slot(at), row);
    if (publish) {
      index_.set_live(at, (row.flags & bits::kExpunged) == 0);
      touch(number);
    }
    ++at;
  }
  raise_counts(end, payload.rows.back().uid + 1);
  if (!publish) return {};
  state_.count = std::max(state_.count, end);
  state_.uidnext = std::max(state_.uidnext, payload.rows.back().uid + 1);
  return {};
}

Result<void> Applier::publish_prepared(const LogRecord& record) {
  const auto numbers = TRY(decode_numbers<2>(record.payload));
  const Range range{static_cast<std::uint32_t>(numbers[0]), static_cast<std::uint32_t>(numbers[1])};
  if (range.count == 0) return {};  // the mark of a transaction that recovery took in
  TRY(check(std::span(&range, 1)));
  std::uint32_t uid = 0;
  each_block(std::span(&range, 1),
             [&](std::uint32_t number, BlockPtr rows, std::uint32_t slot, std::uint32_t n) {
               for (std::uint32_t s = slot; s < slot + n; ++s) {
                 const Row row = load_row(rows, s);
                 const std::uint64_t flags = flags_of(block::first(number) + s);
                 store_mutable(rows, s, flags, row.keywords, record.modseq, row.more);
                 index_.set_live(block::first(number) + s, (flags & bits::kExpunged) == 0);
                 uid = row.uid;
               }
               touch(number);
             });
  state_.count = std::max(state_.count, range.first + range.count);
  state_.uidnext = std::max(state_.uidnext, uid + 1);
  return {};
}

Result<void> Applier::burn(const LogRecord& record) {
  const auto numbers = TRY(decode_numbers<3>(record.payload));
  const auto first = static_cast<std::uint32_t>(numbers[0]);
  const auto uid = static_cast<std::uint32_t>(numbers[1]);
  const auto count = static_cast<std::uint32_t>(numbers[2]);
  if (count == 0 || first > kMostRecords - count)
    return fail(Errc::corrupt, "log burns {} records at {}", count, first);
  TRY(index_.grow(first + count, moved_));
  for (std::uint32_t i = 0; i < count; ++i) {
    Row row;
    row.uid = uid + i;
    row.flags = bits::kExpunged | bits::kBurned | bits::kFileGone;
    store_row(index_.block(block::of(first + i)), block::slot(first + i), row);
    index_.set_live(first + i, false);
    touch(block::of(first + i));
  }
  raise_counts(first + count, uid + count);
  state_.count = std::max(state_.count, first + count);
  state_.uidnext = std::max(state_.uidnext, uid + count);
  return {};
}

Result<void> Applier::flags(const LogRecord& record) {
  const FlagsPayload change = TRY(decode_flags(record.payload));
  TRY(check(change.ranges));
  for (const MoreChange& more : change.more) {
    const Range one{more.record, 1};
    TRY(check(std::span(&one, 1)));
  }
  const std::uint64_t keep = change.keep | ~bits::kSystem, add = change.add & bits::kSystem;
  each_block(change.ranges,
             [&](std::uint32_t number, BlockPtr rows, std::uint32_t slot, std::uint32_t n) {
               index_.raise_summary(number, record.modseq, false);
               for (std::uint32_t s = slot; s < slot + n; ++s) {
                 const std::uint64_t flags = flags_of(block::first(number) + s);
                 const std::uint64_t keywords = *rows.at<std::uint64_t>(column::kKeywords, s);
                 store_mutable(rows, s, (flags & keep) | add,
                               (keywords & change.keep_keywords) | change.add_keywords,
                               record.modseq, *rows.at<std::uint32_t>(column::kMore, s));
               }
               touch(number);
             });
  for (const MoreChange& more : change.more) {
    const BlockPtr rows = index_.block(block::of(more.record));
    const Row row = load_row(rows, block::slot(more.record));
    store_mutable(rows, block::slot(more.record), flags_of(more.record), row.keywords, row.modseq,
                  more.set);
  }
  return {};
}

Result<void> Applier::expunge(const LogRecord& record) {
  const RangesPayload gone = TRY(decode_ranges(record.payload));
  TRY(check(gone.ranges));
  const std::uint64_t mark = bits::kExpunged | std::uint64_t{gone.value} << bits::kTimeShift;
  each_block(gone.ranges,
             [&](std::uint32_t number, BlockPtr rows, std::uint32_t slot, std::uint32_t n) {
               index_.raise_summary(number, record.modseq, true);
               for (std::uint32_t s = slot; s < slot + n; ++s) {
                 const std::uint64_t flags = flags_of(block::first(number) + s) & ~bits::kTime;
                 store_mutable(rows, s, flags | mark, *rows.at<std::uint64_t>(column::kKeywords, s),
                               record.modseq, *rows.at<std::uint32_t>(column::kMore, s));
                 index_.set_live(block::first(number) + s, false);
               }
               touch(number);
             });
  state_.highest_expunge = std::max(state_.highest_expunge, record.modseq);
  if (state_.first_expunge == 0) state_.first_expunge = gone.value;
  return {};
}

Result<void> Applier::cleaned(const LogRecord& record) {
  const RangesPayload gone = TRY(decode_ranges(record.payload));
  TRY(check(gone.ranges));
  state_.first_expunge = gone.value;
  each_block(gone.ranges, [&](std::uint32_t number, BlockPtr rows, std::uint32_t slot,
                              std::uint32_t n) {
    for (std::uint32_t s = slot; s < slot + n; ++s) {
      const Row row = load_row(rows, s);
      store_mutable(rows, s, flags_of(block::first(number) + s) | bits::kExpunged | bits::kFileGone,
                    row.keywords, row.modseq, row.more);
    }
  });
  return {};
}

Result<void> Applier::keyword(const LogRecord& record, bool is_set) {
  const NamePayload name = TRY(decode_name(record.payload));
  const std::string entry = KeywordTable::entry(is_set, name.number, name.bytes);
  if (keywords_ != nullptr) TRY(keywords_->write_entry(name.at, entry, mailbox_, partition_));
  state_.keywords_end = std::max(state_.keywords_end, name.at + entry.size());
  auto& count = is_set ? state_.set_count : state_.keyword_count;
  count = std::max(count, name.number + 1);
  return {};
}

void Applier::count_touched() {
  std::ranges::sort(touched_);
  touched_.erase(std::unique(touched_.begin(), touched_.end()), touched_.end());
  for (const std::uint32_t number : touched_) {
    const bool fresh = block::first(number) >= old_count_;
    const auto before = fresh ? std::optional(Summary{}) : index_.summary(number);
    if (!before) return count_all();
    const Summary after = index_.recompute(number, state_.count);
    state_.exists += after.live - before->live;
    state_.unseen += after.unseen - before->unseen;
    state_.deleted += after.deleted - before->deleted;
    state_.bytes += after.bytes - before->bytes;
    state_.deleted_bytes += after.deleted_bytes - before->deleted_bytes;
  }
  touched_.clear();
  old_count_ = state_.count;
}

void Applier::count_all() {
  state_.exists = state_.unseen = state_.deleted = 0;
  state_.bytes = state_.deleted_bytes = 0;
  for (std::uint32_t number = 0; number < block::count(state_.count); ++number) {
    const Summary summary = index_.recompute(number, state_.count);
    state_.exists += summary.live;
    state_.unseen += summary.unseen;
    state_.deleted += summary.deleted;
    state_.bytes += summary.bytes;
    state_.deleted_bytes += summary.deleted_bytes;
    state_.highest_expunge = std::max(state_.highest_expunge, summary.max_expunge);
    const BlockPtr rows = index_.block(number);
    const std::uint32_t first = block::first(number);
    for (std::uint32_t word = 0; word * 64 < rows.n; ++word) {
      std::uint64_t live = 0;
      for (std::uint32_t s = word * 64; s < std::min(rows.n, word * 64 + 64); ++s)
        if (first + s < state_.count &&
            (*rows.at<std::uint64_t>(column::kFlags, s) & bits::kExpunged) == 0)
          live |= std::uint64_t{1} << ((first + s) % 64);
      if (rows.n >= 64) {
        index_.set_live_word(first / 64 + word, live);
      } else {  // two blocks of 32 share the first word
        const std::uint64_t mine = std::uint64_t{0xFFFFFFFF} << (first % 64);
        index_.set_live_word(0, (index_.live_word(0) & ~mine) | live);
      }
    }
  }
  touched_.clear();
  old_count_ = state_.count;
}

}  // namespace postern::store
