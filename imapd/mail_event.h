// MailEvent: what a command did to messages, for the scripts that want to know (RFC 6785).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/meta/meta.h"

namespace postern::imap {

/// RFC 6785 §4.3; MOVE is a copy.
enum class Cause : std::uint8_t { append, copy, flag };
std::string_view name_of(Cause cause);

struct MailEvent {
  Cause cause = Cause::append;
  meta::MailboxEntry mailbox;        // where the messages are now
  meta::MailboxName from;            // where they were copied from; else empty
  std::vector<Uid> uids;             // ascending
  std::vector<std::string> changed;  // with Cause::flag: the changed flags of each, with spaces
};

}  // namespace postern::imap
