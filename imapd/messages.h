// The messages of the selected mailbox that a command names.
#pragma once

#include <optional>
#include <vector>

#include "imapd/command/command.h"
#include "imapd/context.h"
#include "imapd/number_set.h"
#include "lib/store/mailbox.h"

namespace postern::imap {

struct Message {
  store::RecNo record;
  SeqNum seqnum;
  Uid uid;
};

/// Walks over shown messages in ascending order. Record numbers may change with every change to
/// the mailbox; then call moved() before next().
class MessageWalk {
 public:
  MessageWalk(const Selected& selected, std::vector<NumberRange> ranges, Form form)
      : selected_(selected), ranges_(std::move(ranges)), form_(form) {}
  std::optional<Message> next();
  void moved();

 private:
  [[nodiscard]] bool start_range();
  [[nodiscard]] bool step();

  const Selected& selected_;
  std::vector<NumberRange> ranges_;
  Form form_;
  std::size_t range_ = 0;
  bool inside_ = false;  // at_ is the last message given of ranges_[range_]
  Message at_;
};

/// The ranges that `set` means now: of uids for Form::uid, else of sequence numbers.
/// @error bad_syntax  a sequence number beyond the last message (RFC 9051 §9, seq-number)
Result<std::vector<NumberRange>> resolve(const Context& ctx, const NumberSet& set, Form form);

/// The uids of `known` (ascending ranges) that `since` says are gone, as a uid-set: for VANISHED
/// (EARLIER). Where tombstones were forgotten, all that aren't shown (RFC 7162 §3.2.5.1).
std::string vanished_of(const Selected& selected, const store::Mailbox::Since& since,
                        std::vector<NumberRange> known);

/// The records of all shown messages in `ranges`, ascending.
std::vector<store::RecNo> records_in(const Selected& selected, std::vector<NumberRange> ranges,
                                     Form form);

}  // namespace postern::imap
