// Mailbox: flags, expunge, \Recent. Each is one log record, built while the rows are looked at
// under the lock.
#include <algorithm>

#include "lib/base/clock.h"
#include "lib/log/log.h"
#include "lib/store/keyword_plan.h"
#include "lib/store/mailbox_impl.h"

namespace postern::store {
namespace {

/// The rows of ascending records, block by block.
class RowWalk {
 public:
  explicit RowWalk(const IndexFile& index) : index_(index) {}
  BlockPtr at(std::uint32_t record, std::uint32_t& slot) {
    if (record - first_ >= block_.n) {
      const std::uint32_t number = block::of(record);
      block_ = index_.block(number);
      first_ = block::first(number);
    }
    slot = record - first_;
    return block_;
  }

 private:
  const IndexFile& index_;
  BlockPtr block_;
  std::uint32_t first_ = 0;
};

/// What a FlagChange means for one row.
class FlagRule {
 public:
  /// @param except  system flags of the rows that stay as they are
  FlagRule(const FlagChange& change, KeywordBits keywords, std::uint64_t except)
      : op_(change.op), keywords_(std::move(keywords)) {
    const std::uint64_t system = change.flags.system & flag::all;
    payload_.keep = op_ == FlagOp::add ? ~std::uint64_t{0} : op_ == FlagOp::remove ? ~system : 0;
    payload_.keep |= except;
    payload_.add = op_ == FlagOp::remove ? 0 : system & ~except;
    payload_.keep_keywords = op_ == FlagOp::add      ? ~std::uint64_t{0}
                             : op_ == FlagOp::remove ? ~keywords_.low
                                                     : 0;
    payload_.add_keywords = op_ == FlagOp::remove ? 0 : keywords_.low;
  }

  /// Whether a row with these flags changes; the number of its new set of further keywords.
  bool changes(const MailboxFiles& files, KeywordPlan& plan, std::uint64_t flags,
               std::uint64_t keywords, std::uint32_t more, std::uint32_t& new_more) {
    new_more = more;
    if (!keywords_.more.empty() || (op_ == FlagOp::replace && more != 0))
      new_more = set_after(files, plan, more);
    const std::uint64_t system = flags & bits::kSystem;
    return ((system & payload_.keep) | payload_.add) != system ||
           ((keywords & payload_.keep_keywords) | payload_.add_keywords) != keywords ||
           new_more != more;
  }
  FlagsPayload& payload() { return payload_; }

 private:
  std::uint32_t set_after(const MailboxFiles& files, KeywordPlan& plan, std::uint32_t more) {
    const auto known = sets_.find(more);
    if (known != sets_.end()) return known->second;
    std::vector<std::uint16_t> after;
    const std::vector<std::uint16_t>& before = files.keywords.set(more);
    if (op_ == FlagOp::add)
      std::ranges::set_union(before, keywords_.more, std::back_inserter(after));
    else if (op_ == FlagOp::remove)
      std::ranges::set_difference(before, keywords_.more, std::back_inserter(after));
    else
      after = keywords_.more;
    return sets_[more] = plan.intern(after);
  }

  FlagOp op_;
  KeywordBits keywords_;
  FlagsPayload payload_;
  std::map<std::uint32_t, std::uint32_t> sets_;
};

/// What it means for the \Seen of a reader who has one of its own.
class OwnSeenRule {
 public:
  OwnSeenRule(const FlagChange& change, const std::optional<UserId>& reader, SeenOverlay* own)
      : own_(own) {
    if (own == nullptr) return;
    const bool named = (change.flags.system & flag::seen) != 0;
    payload_.user = *reader;
    payload_.seen = named && change.op != FlagOp::remove;
    touches_ = named || change.op == FlagOp::replace;
  }

  [[nodiscard]] std::uint64_t except() const { return own_ == nullptr ? 0 : flag::seen; }
  /// The message's modseq for the reader, of which the row's is `modseq`.
  [[nodiscard]] std::uint64_t modseq(std::uint32_t uid, std::uint64_t modseq) const {
    return own_ == nullptr ? modseq : std::max(modseq, own_->ranges().modseq(Uid(uid)));
  }
  /// Takes the message in if it changes. Records that follow one another make one range of uids.
  bool take(std::uint32_t record, std::uint32_t uid) {
    if (!touches_ || own_->ranges().seen(Uid(uid)) == payload_.seen) return false;
    if (!payload_.uids.empty() && record == last_ + 1)
      payload_.uids.back().count = uid + 1 - payload_.uids.back().first;
    else
      payload_.uids.push_back({uid, 1});
    last_ = record;
    return true;
  }
  Result<void> add_to(Change& change) {
    if (payload_.uids.empty()) return {};
    TRY(own_->reserve(payload_.uids.size()));
    change.add(LogType::seen, encode(payload_), change.next_modseq());
    return {};
  }

 private:
  SeenOverlay* own_;
  SeenPayload payload_;
  bool touches_ = false;
  std::uint32_t last_ = 0;  // record
};

/// When the cleaner has something to do.
std::int64_t due_of(const State& state, std::int64_t keep) {
  if (state.mode == kDeleting) return state.mode_time + kDeletePatience;
  return state.first_expunge == 0 ? 0 : state.first_expunge + keep;
}

}  // namespace

void report_usage(MailboxFiles& files, const State& state, meta::Reservation reservation) {
  const auto told = files.shared.meta->report({.mailbox = files.id,
                                               .modseq = ModSeq(state.highestmodseq),
                                               .bytes = state.bytes,
                                               .messages = state.exists,
                                               .due = due_of(state, files.shared.expunge_keep)},
                                              reservation);
  if (!told)
    LOG(debug, "quota.report_failed", {"mailbox_id", files.id.hex()}, {"error", told.error().text});
}

Result<FlagsStored> Mailbox::store_flags(std::span<const RecNo> records, const FlagChange& wanted) {
  MailboxFiles& files = impl_->files;
  if (records.empty()) {
    const State now = TRY(files.state());
    return FlagsStored{
        .changed = {}, .modified = {}, .expunged = {}, .modseq = ModSeq(now.highestmodseq)};
  }
  auto change = TRY(Change::begin(files, "flags"));
  TRY(MailboxAccess::same_records(*this));
  KeywordPlan plan(change, files);
  MailboxAccess::refresh_own_seen(*this);
  OwnSeenRule own(wanted, impl_->reader, impl_->own_seen);
  FlagRule rule(wanted, TRY(plan.resolve(wanted.flags.keywords, wanted.op != FlagOp::remove)),
                own.except());
  FlagsStored stored;
  stored.changed.reserve(records.size());
  RowWalk walk(files.index);
  for (const RecNo record : records) {
    if (record.value() >= change.state.count) continue;
    std::uint32_t slot = 0, more = 0;
    const BlockPtr rows = walk.at(record.value(), slot);
    const std::uint64_t flags = *rows.at<std::uint64_t>(column::kFlags, slot);
    if ((flags & bits::kExpunged) != 0) {
      stored.expunged.emplace_back(*rows.at<std::uint32_t>(column::kUid, slot));
      continue;
    }
    const std::uint32_t uid = *rows.at<std::uint32_t>(column::kUid, slot);
    const std::uint64_t modseq = own.modseq(uid, *rows.at<std::uint64_t>(column::kModseq, slot));
    if (wanted.unchanged_since && modseq > wanted.unchanged_since->value()) {
      stored.modified.emplace_back(uid);
      continue;
    }
    const std::uint32_t had = *rows.at<std::uint32_t>(column::kMore, slot);
    const bool shared = rule.changes(files, plan, flags,
                                     *rows.at<std::uint64_t>(column::kKeywords, slot), had, more);
    if (shared) add_to_ranges(rule.payload().ranges, record.value());
    if (shared && more != had) rule.payload().more.push_back({record.value(), more});
    if (own.take(record.value(), uid) || shared) stored.changed.push_back(record);
  }
  stored.modseq = ModSeq(change.state.highestmodseq);
  if (stored.changed.empty()) return stored;
  stored.modseq = ModSeq(change.next_modseq());
  if (!rule.payload().ranges.empty())
    change.add(LogType::flags, encode(rule.payload()), stored.modseq.value());
  TRY(own.add_to(change));
  TRY(change.commit());
  MailboxAccess::set_head(*this, change.state);
  return stored;
}

Result<Mailbox::Expunged> Mailbox::expunge(std::span<const RecNo> records, bool only_deleted) {
  MailboxFiles& files = impl_->files;
  if (records.empty()) {
    const State now = TRY(files.state());
    return Expunged{.uids = {}, .modseq = ModSeq(now.highestmodseq)};
  }
  auto change = TRY(Change::begin(files, "expunge"));
  TRY(MailboxAccess::same_records(*this));
  RangesPayload gone{.value = static_cast<std::uint32_t>(wall_seconds()), .ranges = {}};
  Expunged expunged;
  expunged.uids.reserve(records.size());
  RowWalk walk(files.index);
  for (const RecNo record : records) {
    if (record.value() >= change.state.count) continue;
    std::uint32_t slot = 0;
    const BlockPtr rows = walk.at(record.value(), slot);
    const std::uint64_t flags = *rows.at<std::uint64_t>(column::kFlags, slot);
    if ((flags & bits::kExpunged) != 0 || (only_deleted && (flags & flag::deleted) == 0)) continue;
    add_to_ranges(gone.ranges, record.value());
    expunged.uids.emplace_back(*rows.at<std::uint32_t>(column::kUid, slot));
  }
  expunged.modseq = ModSeq(change.state.highestmodseq);
  if (expunged.uids.empty()) return expunged;
  expunged.modseq = ModSeq(change.next_modseq());
  change.add(LogType::expunge, encode(gone), expunged.modseq.value());
  TRY(change.commit());
  MailboxAccess::set_head(*this, change.state);
  const State after = change.state;
  change.end();
  TRY(files.sync_log());
  report_usage(files, after);
  return expunged;
}

Result<std::optional<std::pair<Uid, Uid>>> Mailbox::claim_recent() {
  MailboxFiles& files = impl_->files;
  const State before = TRY(files.state());
  if (before.uidnext <= before.recent_uid + 1) return std::optional<std::pair<Uid, Uid>>();
  auto change = TRY(Change::begin(files, "recent"));
  const std::uint32_t first = change.state.recent_uid + 1, last = change.state.uidnext - 1;
  if (first > last) return std::optional<std::pair<Uid, Uid>>();
  change.tells_others = false;
  change.add(LogType::recent, encode_numbers({last}));
  TRY(change.commit());
  return std::optional(std::pair(Uid(first), Uid(last)));
}

}  // namespace postern::store
