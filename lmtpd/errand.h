// What a script wants to be sent, and doing it once: whatever was sent is noted, so that the MTA's
// next try doesn't send it again.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/meta/meta.h"
#include "lib/store/types.h"
#include "lmtpd/backend.h"
#include "lmtpd/transaction.h"
#include "sieve/site/submit.h"

namespace postern::lmtp {

/// A mark to be set once the recipient has everything.
struct PlannedMark {
  meta::Mark mark;
  std::string value;
  std::chrono::seconds life{0};
};

struct Errand {
  /// The first four are mail for the MTA.
  enum class Kind : std::uint8_t { redirect, reject, vacation, notify, webhook, log };
  /// Mail that was generated is filed, too (RFC 8580).
  struct Filed {
    meta::MailboxEntry mailbox;
    store::NamedFlags flags;
  };

  Kind kind = Kind::redirect;
  std::string what;       // tells it from others of its kind for this message, at every try
  std::string target;     // an address, an URL: for the log
  site::Submission mail;  // of mail
  std::string text;       // JSON for a webhook, a line for the log
  std::optional<Filed> filed;
  std::optional<PlannedMark> mark;
  bool done = false;  // sent, now or at an earlier try

  /// The message may be lost to somebody if this isn't sent.
  [[nodiscard]] bool carries_the_message() const {
    return kind == Kind::redirect || kind == Kind::reject;
  }
};
std::string_view name_of(Errand::Kind kind);

/// Sends the errands of one message.
class ErrandRunner {
 public:
  /// `retry_key`: the same when the MTA tries the message again. All outlive this.
  ErrandRunner(const Backend& backend, std::uint64_t session, const Transaction& transaction,
               const std::string& message_id, const std::string& retry_key)
      : back_(backend),
        session_(session),
        txn_(transaction),
        message_id_(message_id),
        retry_key_(retry_key) {}

  /// If nobody knows whether it was sent before, it has to wait: a second one could be the start of
  /// a loop.
  /// @error no_permission  refused for good
  /// @error unavailable, io
  [[nodiscard]] Result<void> send(const Recipient& recipient, Errand& errand) const;
  /// The sender's own copy of mail that was sent (RFC 8580), once. Its loss is no reason to repeat
  /// the delivery.
  void file(const Recipient& recipient, const Errand& errand) const;

 private:
  [[nodiscard]] meta::Mark note_of(const Recipient& recipient, const Errand& errand,
                                   std::string_view step) const;
  [[nodiscard]] Result<void> carry(const Recipient& recipient, const Errand& errand) const;
  void log(const Recipient& recipient, const Errand& errand, const Result<void>& sent) const;

  const Backend& back_;
  std::uint64_t session_;
  const Transaction& txn_;
  const std::string& message_id_;
  const std::string& retry_key_;
};

}  // namespace postern::lmtp
