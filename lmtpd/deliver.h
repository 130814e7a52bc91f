// Delivery of a received message to the recipients of its transaction.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/meta/acl.h"
#include "lmtpd/backend.h"
#include "lmtpd/reply.h"
#include "lmtpd/transaction.h"

namespace postern::lmtp {

struct DeliveryReport {
  std::vector<Reply> replies;   // one for each recipient, in their order (RFC 2033 §4.2)
  std::uint32_t delivered = 0;  // copies stored
};

/// Stores the message for each recipient; durable on return where the reply is 250. A failure of
/// one touches no other. Writes one log line a copy.
/// @pre the receiver refused nothing
DeliveryReport deliver(const Backend& backend, std::uint64_t session, const meta::Identity& sender,
                       Transaction& transaction, Receiver& receiver);

}  // namespace postern::lmtp
