// Mailbox: a reader who isn't the owner has a \Seen of its own, which every look at flags and
// modseqs takes instead of the row's. doc/format.md, "Seen".
#include "lib/log/log.h"
#include "lib/store/mailbox_impl.h"

namespace postern::store {

Result<void> MailboxAccess::read_as(Mailbox& mailbox, const std::optional<UserId>& reader) {
  Mailbox::Impl& impl = *mailbox.impl_;
  if (impl.reader == reader) return {};
  impl.files.seen.forget();
  impl.reader = reader;
  impl.own_seen = reader ? &impl.files.seen.of(*reader) : nullptr;
  mailbox.has_own_seen_ = reader.has_value();
  if (!reader) return {};
  TRY(impl.own_seen->refresh());
  return impl.own_seen->damaged() ? mend_seen(impl.files, *reader) : Result<void>();
}

const SeenRanges* MailboxAccess::own_seen(const Mailbox& mailbox) {
  const SeenOverlay* own = mailbox.impl_->own_seen;
  return own == nullptr ? nullptr : &own->ranges();
}

void MailboxAccess::refresh_own_seen(const Mailbox& mailbox) {
  Mailbox::Impl& impl = *mailbox.impl_;
  if (impl.own_seen == nullptr) return;
  if (const auto read = impl.own_seen->refresh(); !read)
    LOG(error, "mailbox.seen_unread", {"mailbox_id", impl.files.id.hex()},
        {"user_id", impl.reader->hex()}, {"error", read.error().text});
}

std::uint64_t Mailbox::own_seen_modseq(RecNo record) const {
  return MailboxAccess::own_seen(*this)->modseq(uid(record));
}

std::uint64_t Mailbox::with_own_seen(RecNo record, std::uint64_t flags) const {
  return MailboxAccess::with_own_seen(*this, uid(record).value(), flags);
}

std::uint32_t Mailbox::own_unseen(const State& state) const {
  MailboxAccess::refresh_own_seen(*this);
  const IndexFile& index = impl_->files.index;
  std::uint32_t unseen = state.exists;
  for (const SeenRange& range : MailboxAccess::own_seen(*this)->all()) {
    if (!range.seen() || range.first >= state.uidnext) continue;
    const auto end =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(range.end(), state.uidnext));
    unseen -= std::min(unseen, index.count_live(index.lower_bound(range.first, state.count),
                                                index.lower_bound(end, state.count)));
  }
  return unseen;
}

std::optional<SeqNum> Mailbox::first_own_unseen(const View& view) const {
  const SeenRanges& seen = *MailboxAccess::own_seen(*this);
  auto record = view.next_from(RecNo(0));
  while (record) {
    const SeenRange* range = seen.find(uid(*record));
    if (range == nullptr || !range->seen()) return view.seqnum_of(*record);
    const auto behind = lower_bound(Uid(static_cast<std::uint32_t>(range->end())));
    if (!behind || range->end() > UINT32_MAX) return std::nullopt;
    record = view.next_from(*behind);
  }
  return std::nullopt;
}

void MailboxAccess::add_own_changes(const Mailbox& mailbox, ModSeq since, std::uint32_t end,
                                    std::vector<RecNo>& changed) {
  const SeenRanges* seen = own_seen(mailbox);
  if (seen == nullptr) return;
  const IndexFile& index = mailbox.impl_->files.index;
  for (const SeenRange& range : seen->all()) {
    if (range.modseq() <= since.value() || range.modseq() > mailbox.horizon_) continue;
    for (std::uint32_t r = index.lower_bound(range.first, end); r < end; ++r) {
      if (mailbox.uid(RecNo(r)).value() >= range.end()) break;
      if (index.count_live(r, r + 1) != 0) changed.emplace_back(r);
    }
  }
  std::ranges::sort(changed);
  changed.erase(std::unique(changed.begin(), changed.end()), changed.end());
}

}  // namespace postern::store
