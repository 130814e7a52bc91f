// The messages that a command names: see messages.h.
#include "imapd/messages.h"

#include <algorithm>

namespace postern::imap {

// Goes to the first message of the present range; false: there is none.
bool MessageWalk::start_range() {
  const NumberRange& range = ranges_[range_];
  if (form_ == Form::plain) {
    if (range.first > selected_.view.exists()) return false;
    at_.seqnum = SeqNum(range.first);
    at_.record = selected_.view.at(at_.seqnum);
    return true;
  }
  const auto from = selected_.mailbox->lower_bound(Uid(range.first));
  const auto record = from ? selected_.view.next_from(*from) : std::nullopt;
  if (!record) return false;
  at_.record = *record;
  at_.seqnum = *selected_.view.seqnum_of(*record);
  return true;
}

bool MessageWalk::step() {
  const auto record = selected_.view.next_from(at_.record.next());
  if (!record) return false;
  at_.record = *record;
  at_.seqnum = at_.seqnum.next();
  return true;
}

std::optional<Message> MessageWalk::next() {
  while (range_ < ranges_.size()) {
    // Ranges ascend: when there is nothing more here, there is nothing behind it either.
    if (!(inside_ ? step() : start_range())) break;
    at_.uid = selected_.mailbox->uid(at_.record);
    const std::uint32_t number = form_ == Form::uid ? at_.uid.value() : at_.seqnum.value();
    inside_ = number <= ranges_[range_].last;
    if (inside_) return at_;
    ++range_;
  }
  range_ = ranges_.size();
  return std::nullopt;
}

void MessageWalk::moved() {
  if (!inside_) return;
  if (const auto record = selected_.mailbox->lower_bound(at_.uid)) at_.record = *record;
}

Result<std::vector<NumberRange>> resolve(const Context& ctx, const NumberSet& set, Form form) {
  const Selected& selected = *ctx.selected;
  if (set.saved) {  // RFC 5182 §2.1: as if the client had sent these messages
    std::vector<NumberRange> uids;
    for (const UidRange& range : ctx.conn.selected->saved_search)
      uids.push_back({range.first.value(), range.last.value()});
    if (form == Form::uid) return uids;
    std::vector<NumberRange> seqnums;
    MessageWalk walk(selected, std::move(uids), Form::uid);
    while (const auto message = walk.next())
      seqnums.push_back({message->seqnum.value(), message->seqnum.value()});
    return seqnums;
  }
  const std::uint32_t exists = selected.view.exists();
  if (form == Form::plain) {
    if (set.highest_written() > exists)
      return fail(Errc::bad_syntax, "there is no message {}, only {}", set.highest_written(),
                  exists);
    return set.resolved(exists);
  }
  const Uid highest =
      exists == 0 ? Uid(0) : selected.mailbox->uid(selected.view.at(SeqNum(exists)));
  return set.resolved(highest.value());
}

namespace {

void add_unshown(const Selected& selected, const std::vector<NumberRange>& known,
                 NumberSetWriter& out) {
  const std::uint32_t uidnext = selected.view.mark().told_uidnext.value();
  for (const NumberRange& range : known) {
    std::uint32_t from = range.first;
    const std::uint32_t end = std::min(range.last, uidnext - 1);
    MessageWalk walk(selected, {range}, Form::uid);
    for (auto message = walk.next(); message && from <= end; message = walk.next()) {
      const std::uint32_t uid = message->uid.value();
      if (uid > from) out.add(NumberRange{from, std::min(uid - 1, end)});
      from = uid + 1;
    }
    if (from <= end) out.add(NumberRange{from, end});
  }
}

}  // namespace

std::string vanished_of(const Selected& selected, const store::Mailbox::Since& since,
                        std::vector<NumberRange> known) {
  std::string out;
  NumberSetWriter writer(out);
  if (since.below_floor) {
    add_unshown(selected, known, writer);
  } else {
    auto range = known.begin();
    for (const Uid uid : since.vanished) {
      while (range != known.end() && range->last < uid.value()) ++range;
      if (range == known.end()) break;
      if (range->first <= uid.value()) writer.add(uid.value());
    }
  }
  writer.finish();
  return out;
}

std::vector<store::RecNo> records_in(const Selected& selected, std::vector<NumberRange> ranges,
                                     Form form) {
  std::vector<store::RecNo> records;
  MessageWalk walk(selected, std::move(ranges), form);
  while (const auto message = walk.next()) records.push_back(message->record);
  return records;
}

}  // namespace postern::imap
