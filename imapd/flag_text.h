// Flags of messages as answers show them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "imapd/connection.h"
#include "imapd/line_writer.h"
#include "lib/meta/acl.h"
#include "lib/store/mailbox.h"

namespace postern::imap {

/// Whether `uid` is in one of the ascending `ranges`.
bool contains(const std::vector<UidRange>& ranges, Uid uid);

/// Writes "(\Seen $Junk …)" of one message after another. Borrows all.
class FlagWriter {
 public:
  FlagWriter(const store::Mailbox& mailbox, const std::vector<UidRange>& recent);
  void write(LineWriter& out, store::RecNo record, Uid uid) const;

 private:
  void keyword(LineWriter& out, std::size_t number, bool& first) const;

  const store::Mailbox& mailbox_;
  const std::vector<UidRange>& recent_;
};

/// "\Answered \Flagged …" and the keywords of the table, as far as they are `among` these.
std::string flag_names(const store::Mailbox& mailbox, const store::CarriedFlags& among = {});

/// The flags that one with these rights may set (RFC 4314 §4).
store::CarriedFlags settable_flags(meta::Rights rights);

}  // namespace postern::imap
