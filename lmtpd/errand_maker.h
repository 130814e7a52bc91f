// From a script's actions to the errands that carry them out: mail, posts to webhooks, log lines,
// and the reply that refuses a message.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lmtpd/errand.h"
#include "lmtpd/reply.h"
#include "sieve/action.h"
#include "sieve/site/settings.h"
#include "sieve/site/sieve_mail.h"

namespace postern::lmtp {

class ErrandMaker {
 public:
  /// All outlive this.
  ErrandMaker(const Sender& sender, const Recipient& recipient, const site::Settings& settings);

  /// `message`: as the script had it when the action ran.
  [[nodiscard]] Errand redirect(const sieve::Redirect& action, std::string_view message) const;
  /// A notification with the reason in full. @pre the envelope sender isn't null
  [[nodiscard]] Errand reject(const sieve::Reject& action, std::string_view message) const;
  [[nodiscard]] Errand vacation(const sieve::Vacation& action) const;
  /// @error not_supported  an URL that this server doesn't post to, or what is no mailto URI
  [[nodiscard]] Result<Errand> notify(const sieve::Notify& action,
                                      const std::vector<std::string>& webhooks) const;

  [[nodiscard]] const site::MailFacts& facts() const { return facts_; }

 private:
  const Sender& sender_;
  const Recipient& recipient_;
  site::MailFacts facts_;
};

/// 550 with the reason as a reply can have it; "" gives a sentence of ours.
Reply refusal_reply(std::string_view reason);

}  // namespace postern::lmtp
