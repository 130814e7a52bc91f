// Transaction: from MAIL to the replies for its recipients (RFC 5321 §3.3).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/meta/meta.h"
#include "lib/meta/recipient.h"
#include "lmtpd/grammar.h"
#include "lmtpd/receive.h"

namespace postern::lmtp {

enum class Body { seven_bit, eight_bit, binary };  // RFC 6152, RFC 3030

/// What MAIL said.
struct Sender {
  std::optional<Address> address;  // nothing: the null reverse-path
  std::optional<std::uint64_t> size;
  Body body = Body::seven_bit;
  bool smtputf8 = false;
  std::string envelope_id;  // ENVID, decoded (RFC 3461 §4.4)
  std::string ret;          // RET as given, upper case
  std::string auth;         // AUTH, decoded: who submitted the message (RFC 4954 §5)
};

/// What RCPT said, and where it leads.
struct Recipient {
  Address address;
  meta::Recipient wanted;
  meta::MailboxEntry mailbox;      // as resolved at RCPT
  std::string original_recipient;  // ORCPT, decoded, "rfc822;anna@example.org"
  std::string notify;              // NOTIFY as given, upper case
};

struct Transaction {
  std::string id;  // in log lines, in Received and in the replies
  Sender sender;
  std::vector<Recipient> recipients;  // accepted ones, in order of their RCPT
  std::unique_ptr<Receiver> text;     // from the first chunk of BDAT on
  bool failed = false;                // a chunk was refused: only RSET helps (RFC 3030 §2)
};

}  // namespace postern::lmtp
