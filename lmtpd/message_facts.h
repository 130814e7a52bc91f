// What delivery wants to know of a message: ids for the log, and a fingerprint for duplicates.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/ids.h"

namespace postern::lmtp {

struct MessageFacts {
  std::string message_id;  // with its angle brackets; empty without one
  std::string mta_id;      // "id" of the first Received field: the MTA's queue id
  /// Hash of the message-id and of the octets received without their leading trace fields, which
  /// differ when the same message comes again by another way. Empty without a message-id.
  std::string fingerprint;  // hex

  /// `text`: the message as received, without the trace fields that we add.
  static MessageFacts of(std::string_view text);
};

}  // namespace postern::lmtp
