// Mailbox: snapshots and what changed between them. One rule decides what a view shows: uid below
// told_uidnext, and live or expunged after told_expunge. doc/locking.md, "Readers".
#include <algorithm>

#include "lib/base/assert.h"
#include "lib/log/log.h"
#include "lib/store/mailbox_impl.h"

namespace postern::store {
namespace {

std::uint64_t flags_at(const IndexFile& index, std::uint32_t record) {
  return __atomic_load_n(
      index.block(block::of(record)).at<std::uint64_t>(column::kFlags, block::slot(record)),
      __ATOMIC_ACQUIRE);
}
std::uint64_t modseq_at(const IndexFile& index, std::uint32_t record) {
  return __atomic_load_n(
      index.block(block::of(record)).at<std::uint64_t>(column::kModseq, block::slot(record)),
      __ATOMIC_ACQUIRE);
}

}  // namespace

struct ViewBuilder {
  /// Records [0, count) that are live, or were expunged after `expunge`; `expected` of them if
  /// nothing is damaged.
  static void fill(View& view, const IndexFile& index, std::uint32_t count, const State& state,
                   std::uint64_t expunge, std::uint32_t expected) {
    view.words_.resize((count + 63) / 64);
    index.copy_live(view.words_);
    if (count % 64 != 0) view.words_.back() &= (std::uint64_t{1} << (count % 64)) - 1;
    // Bits only go. So with none missing there is no later expunge, and the summaries of a large
    // mailbox need not be read.
    if (state.highest_expunge <= expunge) {
      view.count();
      if (view.mark_.exists == expected) return;
    }
    add_expunged(view, index, count, expunge);
    view.count();
  }

  // A row's expunge is in its block's summary before its bit goes, so none is overlooked.
  static void add_expunged(View& view, const IndexFile& index, std::uint32_t count,
                           std::uint64_t expunge) {
    for (std::uint32_t number = 0; number < block::count(count); ++number) {
      const auto summary = index.summary(number);
      if (summary && summary->max_expunge <= expunge) continue;
      const std::uint32_t first = block::first(number);
      for (std::uint32_t r = first; r < std::min(count, first + block::size(number)); ++r)
        if (modseq_at(index, r) > expunge &&
            (flags_at(index, r) & (bits::kExpunged | bits::kBurned)) == bits::kExpunged)
          view.words_[r / 64] |= std::uint64_t{1} << (r % 64);
    }
  }

  static void add(View& view, std::uint32_t record) {
    if (view.words_.size() <= record / 64) view.words_.resize(record / 64 + 1);
    view.words_[record / 64] |= std::uint64_t{1} << (record % 64);
  }
  static void remove(View& view, std::uint32_t record) {
    view.words_[record / 64] &= ~(std::uint64_t{1} << (record % 64));
  }
  static const std::vector<std::uint64_t>& words(const View& view) { return view.words_; }
};

View Mailbox::snapshot() {
  MailboxFiles& files = impl_->files;
  for (int attempt = 0;; ++attempt) {
    impl_->board_value = files.shared.board->value(files.board_slot);
    const auto state = files.state();
    View view;
    view.mark_.mailbox = files.id;
    view.mark_.uidvalidity = files.uidvalidity;
    view.mark_.told_uidnext = Uid(1);
    view.mark_.told_expunge = view.mark_.told_change = ModSeq(1);
    if (!state) return view;
    MailboxAccess::set_head(*this, *state);
    view.mark_.told_uidnext = Uid(state->uidnext);
    view.mark_.told_expunge = view.mark_.told_change = ModSeq(state->highestmodseq);
    if (!files.index) return view;
    view.generation_ = files.index.generation();
    ViewBuilder::fill(view, files.index, state->count, *state, state->highestmodseq, state->exists);
    if (view.mark_.exists == state->exists || attempt >= 2) return view;
    LOG(error, "mailbox.bitmap_damaged", {"mailbox_id", files.id.hex()}, {"exists", state->exists},
        {"counted", view.mark_.exists});
    if (auto change = Change::begin(files, "mend", 0, true)) (void)recover(files);
  }
}

Result<View> Mailbox::view_at(const ViewMark& mark) {
  MailboxFiles& files = impl_->files;
  impl_->board_value = files.shared.board->value(files.board_slot);
  const State state = TRY(files.state());
  if (state.mode == kDeleting) return fail(Errc::mailbox_deleted, "{}", files.id.hex());
  if (mark.mailbox != files.id || mark.uidvalidity != files.uidvalidity)
    return fail(Errc::conflict, "view of another mailbox");
  if (mark.told_expunge.value() < state.floor_modseq)
    return fail(Errc::conflict, "view below the floor {}", state.floor_modseq);
  MailboxAccess::set_head(*this, state);
  View view;
  view.mark_ = mark;
  if (files.index) {
    view.generation_ = files.index.generation();
    const auto end = lower_bound(mark.told_uidnext);
    ViewBuilder::fill(view, files.index, end ? end->value() : state.count, state,
                      mark.told_expunge.value(), mark.exists);
  }
  if (view.mark_.exists != mark.exists) {
    LOG(error, "mailbox.view_differs", {"mailbox_id", files.id.hex()}, {"exists", mark.exists},
        {"counted", view.mark_.exists});
    return fail(Errc::conflict, "view of {} messages comes out with {}", mark.exists,
                view.mark_.exists);
  }
  return view;
}

bool Mailbox::has_records_of(const View& view) const {
  const IndexFile& index = impl_->files.index;
  return !index || view.generation_ == 0 || view.generation_ == index.generation();
}

bool Mailbox::is_stale(const View& view) const {
  const auto state = impl_->files.state();
  return !state || state->mode == kDeleting || !has_records_of(view) ||
         state->highestmodseq != view.mark_.told_change.value() ||
         state->uidnext != view.mark_.told_uidnext.value() ||
         state->highest_expunge > view.mark_.told_expunge.value();
}

Result<Changes> Mailbox::advance(View& view, bool tell_expunges) {
  MailboxFiles& files = impl_->files;
  const std::uint64_t board = files.shared.board->value(files.board_slot);
  const State state = TRY(files.state());
  if (state.mode == kDeleting) return fail(Errc::mailbox_deleted, "{}", files.id.hex());
  if (!has_records_of(view)) view = TRY(view_at(view.mark_));
  MailboxAccess::set_head(*this, state);
  impl_->board_value = board;
  Changes changes;
  changes.highestmodseq = ModSeq(state.highestmodseq);
  changes.exists = view.exists();
  if (!files.index) return changes;
  view.generation_ = files.index.generation();
  const std::uint64_t change = view.mark_.told_change.value();
  const std::uint64_t expunge = view.mark_.told_expunge.value();
  const auto start = lower_bound(view.mark_.told_uidnext);
  const std::uint32_t old_end = start ? start->value() : state.count;
  const bool expunged = tell_expunges && state.highest_expunge > expunge;
  for (std::uint32_t number = 0; number < block::count(old_end); ++number) {
    if (state.highestmodseq <= change && !expunged) break;
    const auto summary = files.index.summary(number);
    const bool look =
        !summary || summary->max_modseq > change || (expunged && summary->max_expunge > expunge);
    if (!look) continue;
    const std::uint32_t first = block::first(number);
    for (std::uint32_t r = first; r < std::min(old_end, first + block::size(number)); ++r) {
      const std::uint64_t modseq = modseq_at(files.index, r);
      if (modseq <= std::min(change, expunge) || modseq > state.highestmodseq ||
          !view.shows(RecNo(r)))
        continue;
      if ((flags_at(files.index, r) & bits::kExpunged) == 0) {
        if (modseq > change) changes.changed.emplace_back(r);
      } else if (tell_expunges) {
        const auto before = static_cast<std::uint32_t>(changes.vanished.size());
        changes.expunged.emplace_back(view.seqnum_of(RecNo(r))->value() - before);
        changes.vanished.push_back(uid(RecNo(r)));
      }
    }
  }
  MailboxAccess::add_own_changes(*this, view.mark_.told_change, old_end, changes.changed);
  for (const Uid gone : changes.vanished) ViewBuilder::remove(view, lower_bound(gone)->value());
  const std::uint64_t shown_after = tell_expunges ? state.highestmodseq : expunge;
  for (std::uint32_t r = old_end; r < state.count; ++r) {
    const std::uint64_t flags = flags_at(files.index, r);
    if ((flags & bits::kBurned) != 0) continue;
    if ((flags & bits::kExpunged) != 0 && modseq_at(files.index, r) <= shown_after) continue;
    ViewBuilder::add(view, r);
    changes.grown = true;
  }
  if (tell_expunges) view.mark_.told_expunge = ModSeq(state.highestmodseq);
  view.mark_.told_change = ModSeq(state.highestmodseq);
  view.mark_.told_uidnext = Uid(state.uidnext);
  if (changes.grown || !changes.vanished.empty()) view.count();
  changes.exists = view.exists();
  return changes;
}

Mailbox::Since Mailbox::changes_since(ModSeq since) const {
  const State& state = impl_->head;
  Since found;
  found.below_floor = since.value() < state.floor_modseq;
  for (std::uint32_t number = 0; number < block::count(state.count); ++number) {
    const auto summary = impl_->files.index.summary(number);
    if (summary && summary->max_modseq <= since.value()) continue;
    const std::uint32_t first = block::first(number);
    for (std::uint32_t r = first; r < std::min(state.count, first + block::size(number)); ++r) {
      const ModSeq modseq = this->modseq(RecNo(r));
      const std::uint64_t flags = flags_at(impl_->files.index, r);
      if (modseq <= since || (flags & bits::kBurned) != 0) continue;
      if ((flags & bits::kExpunged) == 0)
        found.changed.emplace_back(r);
      else
        found.vanished.push_back(uid(RecNo(r)));
    }
  }
  MailboxAccess::add_own_changes(*this, since, state.count, found.changed);
  return found;
}

std::optional<SeqNum> Mailbox::first_unseen(const View& view) const {
  if (has_own_seen_) return first_own_unseen(view);
  if (impl_->head.unseen == 0) return std::nullopt;
  const std::uint32_t count =
      std::min(impl_->head.count, static_cast<std::uint32_t>(ViewBuilder::words(view).size() * 64));
  for (std::uint32_t number = 0; number < block::count(count); ++number) {
    const auto summary = impl_->files.index.summary(number);
    if (summary && summary->unseen == 0) continue;
    const std::uint32_t first = block::first(number);
    for (std::uint32_t r = first; r < std::min(count, first + block::size(number)); ++r)
      if ((flags_at(impl_->files.index, r) & (flag::seen | bits::kBurned)) == 0 &&
          view.shows(RecNo(r)))
        return view.seqnum_of(RecNo(r));
  }
  return std::nullopt;
}

}  // namespace postern::store
