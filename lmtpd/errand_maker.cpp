#include "lmtpd/errand_maker.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "sieve/site/webhook.h"

namespace postern::lmtp {
namespace {

constexpr std::size_t kMostReplyLines = 20;
constexpr std::size_t kMostReplyLine = 400;  // RFC 5321 §4.5.3.1.5: 512 with code and line end

/// Reasons of scripts as text of a reply: lines of printable ASCII (RFC 5321 §4.2), or of UTF-8.
std::string reply_text(std::string_view reason) {
  std::string out;
  std::size_t lines = 0;
  for (auto line : split(reason, '\n')) {
    if (++lines > kMostReplyLines) break;
    std::string clean(line.substr(0, kMostReplyLine));
    while (!clean.empty() && !is_utf8(clean)) clean.pop_back();
    std::erase_if(clean, [](char c) { return (c >= 0 && c < ' ') || c == 0x7F; });
    if (!out.empty() || lines > 1) out += '\n';
    out += clean;
  }
  while (out.ends_with('\n')) out.pop_back();
  return out;
}

}  // namespace

ErrandMaker::ErrandMaker(const Sender& sender, const Recipient& recipient,
                         const site::Settings& settings)
    : sender_(sender), recipient_(recipient) {
  facts_.hostname = settings.hostname;
  facts_.now = wall_seconds();
  facts_.user_address = recipient.address.text();
  if (recipient.address.domain.empty())
    facts_.user_address += '@' + (settings.domain.empty() ? settings.hostname : settings.domain);
}

Errand ErrandMaker::redirect(const sieve::Redirect& action, std::string_view message) const {
  Errand out;
  out.kind = Errand::Kind::redirect;
  out.what = to_lower(action.address);
  out.target = action.address;
  if (sender_.address) out.mail.sender = sender_.address->text();
  out.mail.recipients = {action.address};
  out.mail.message = site::redirected_mail(message, recipient_.address.text());
  out.mail.options = action.options;
  return out;
}

Errand ErrandMaker::reject(const sieve::Reject& action, std::string_view message) const {
  Errand out;
  out.kind = Errand::Kind::reject;
  out.target = sender_.address->text();
  out.mail.recipients = {out.target};
  out.mail.message = site::refusal_mail(action.reason, out.target, message, facts_);
  out.mail.options.notify = "NEVER";
  return out;
}

Errand ErrandMaker::vacation(const sieve::Vacation& action) const {
  Errand out;
  out.kind = Errand::Kind::vacation;
  out.what = action.handle;
  out.target = action.to;
  out.mail.recipients = {action.to};  // from the null reverse-path (RFC 3834 §3.3)
  out.mail.message = site::vacation_mail(action, facts_);
  out.mail.options.notify = "NEVER";
  return out;
}

Result<Errand> ErrandMaker::notify(const sieve::Notify& action,
                                   const std::vector<std::string>& webhooks) const {
  Errand out;
  out.what = action.method + '\n' + action.message;
  out.text = action.message;
  out.kind = Errand::Kind::log;
  if (istarts_with(action.method, "log:")) return out;
  if (const auto mailto = sieve::parse_mailto(action.method)) {
    out.kind = Errand::Kind::notify;
    // RFC 5436 §2.7: empty where the sender's was, so that nothing loops.
    if (sender_.address) out.mail.sender = facts_.user_address;
    out.mail.recipients = mailto->to;
    out.mail.recipients.insert(out.mail.recipients.end(), mailto->cc.begin(), mailto->cc.end());
    out.target = out.mail.recipients.front();
    out.mail.message = site::notification_mail(action, *mailto, facts_);
    return out;
  }
  if (!site::webhook_allowed(webhooks, action.method))
    return fail(Errc::not_supported, "notify: \"{}\" can't be reached from this server",
                action.method);
  out.kind = Errand::Kind::webhook;
  out.target = action.method;
  out.text =
      site::webhook_json(action, {recipient_.wanted.user.text(), facts_.user_address,
                                  sender_.address ? sender_.address->text() : std::string()});
  return out;
}

Reply refusal_reply(std::string_view reason) {
  std::string text = reply_text(reason);
  if (text.empty()) text = "The message was refused by the recipient's mail filter";
  return {550, "5.7.1", std::move(text)};
}

}  // namespace postern::lmtp
