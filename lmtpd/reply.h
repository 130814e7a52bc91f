// Replies: a code, an enhanced status code (RFC 3463) and a sentence. Clients never see the text
// of an Error: that is for the log.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace postern::lmtp {

struct Reply {
  int code = 250;
  std::string_view status = "2.0.0";
  std::string text = "Ok";  // LF between lines

  [[nodiscard]] bool positive() const { return code < 400; }
  [[nodiscard]] std::string line() const;  // or lines, with CRLF
};

/// What to say of a failure that concerns one recipient. Failures of this server are always
/// temporary (4xx): the MTA tries again and nothing bounces.
Reply recipient_reply(Errc code, bool over_quota_permanent);

/// The same for the transaction or session as a whole.
Reply transaction_reply(Errc code);

}  // namespace postern::lmtp
