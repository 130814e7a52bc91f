// RCPT (RFC 5321 §4.1.1.3) with NOTIFY and ORCPT (RFC 3461 §4.1, §4.2). Everything that is known
// now is answered now: what DATA would refuse later becomes a bounce.
#include <algorithm>

#include "lib/base/text.h"
#include "lib/log/log.h"
#include "lmtpd/command/table.h"
#include "lmtpd/resolve.h"

namespace postern::lmtp {
namespace {

constexpr std::size_t kMaxOriginalRecipient = 500;  // RFC 3461 §4.2

Error bad_value(const Parameter& parameter) {
  return fail(Errc::bad_syntax, "bad value of {}", parameter.keyword);
}

// notify-esmtp-value = "NEVER" / 1#notify-list-element
Result<std::string> parse_notify(const Parameter& parameter) {
  if (!parameter.value) return bad_value(parameter);
  std::string value = to_upper(*parameter.value);
  if (value == "NEVER") return value;
  for (const auto word : split(value, ','))
    if (word != "SUCCESS" && word != "FAILURE" && word != "DELAY") return bad_value(parameter);
  return value;
}

// original-recipient-address = addr-type ";" xtext
Result<std::string> parse_original_recipient(const Parameter& parameter) {
  if (!parameter.value || parameter.value->size() > kMaxOriginalRecipient)
    return bad_value(parameter);
  const auto semicolon = parameter.value->find(';');
  if (semicolon == std::string::npos || semicolon == 0) return bad_value(parameter);
  return parameter.value->substr(0, semicolon + 1) +
         TRY(decode_xtext(std::string_view(*parameter.value).substr(semicolon + 1)));
}

/// @error not_supported  a parameter that isn't ours
Result<Recipient> parse_rcpt(std::string_view argument) {
  auto path = TRY(parse_path_argument(argument, "TO:"));
  if (!path.address) return fail(Errc::bad_syntax, "empty recipient");
  Recipient out;
  for (const auto& parameter : path.parameters) {
    if (parameter.keyword == "NOTIFY")
      out.notify = TRY(parse_notify(parameter));
    else if (parameter.keyword == "ORCPT")
      out.original_recipient = TRY(parse_original_recipient(parameter));
    else
      return fail(Errc::not_supported, "{}", parameter.keyword);
  }
  out.address = std::move(*path.address);
  return out;
}

/// RFC 5321 §4.5.1: with or without a domain, in any case.
bool is_postmaster(const Recipient& recipient) {
  return iequals(recipient.address.local, "postmaster");
}

/// The mailbox of the recipient; mail for a postmaster who is no user is lmtp.postmaster's.
Result<void> find_mailbox(Session& session, Recipient& recipient) {
  const Backend& back = session.back;
  const auto find = [&](std::string_view address) -> Result<void> {
    recipient.wanted = TRY(meta::parse_recipient(address, back.options.addresses));
    recipient.mailbox = TRY(resolve(back, recipient.wanted, session.sender_identity()));
    return {};
  };
  auto found = find(recipient.address.text());
  const bool unknown = !found && found.error().code == Errc::no_such_user;
  if (!unknown || !is_postmaster(recipient) || back.options.postmaster.empty()) return found;
  return find(back.options.postmaster);
}

/// Where the mail will go, if it may.
Result<void> plan_rcpt(Session& session, Recipient& recipient) {
  const Backend& back = session.back;
  TRY(find_mailbox(session, recipient));
  return back.quota.check(back.meta, recipient.mailbox, session.txn->sender.size.value_or(0));
}

Reply refusal(const Session& session, const Recipient& recipient, Errc code) {
  if (code == Errc::no_such_user && is_postmaster(recipient))
    return {550, "5.1.1", "Nobody reads mail for the postmaster here"};
  return recipient_reply(code, session.back.options.over_quota_permanent);
}

Flow refuse(Session& session, const Recipient& recipient, const Error& why, const Reply& reply) {
  const Transaction& txn = *session.txn;
  LOG(notice, "recipient.refuse", {"conn", session.facts.session_id}, {"txn", txn.id},
      {"sender", txn.sender.address ? txn.sender.address->raw : ""},
      {"recipient", recipient.address.raw}, {"errc", name_of(why.code)}, {"error", why.text},
      {"reply", reply.code});
  session.say(reply);
  return std::nullopt;
}

}  // namespace

Flow run_rcpt(Session& session, std::string_view argument) {
  Transaction& txn = *session.txn;
  if (txn.text) return session.mistake({503, "5.5.1", "The message has begun"});
  auto recipient = parse_rcpt(argument);
  if (!recipient && recipient.error().code == Errc::not_supported)
    return session.mistake({555, "5.5.4", "Unknown parameter"});
  if (!recipient) return session.mistake({501, "5.5.4", "Bad syntax: RCPT TO:<address> expected"});
  if (txn.recipients.size() >= session.back.options.max_recipients) {
    session.say({452, "4.5.3", "Too many recipients"});  // RFC 5321 §4.5.3.1.10
    return std::nullopt;
  }
  // RFC 6531 §3.5: an address beyond ASCII only with SMTPUTF8 at MAIL
  if (!txn.sender.smtputf8 && !is_ascii(recipient->address.raw))
    return refuse(session, *recipient, fail(Errc::bad_syntax, "not ASCII, without SMTPUTF8"),
                  {553, "5.6.7", "A non-ASCII address needs SMTPUTF8"});
  if (const auto planned = plan_rcpt(session, *recipient); !planned)
    return refuse(session, *recipient, planned.error(),
                  refusal(session, *recipient, planned.error().code));
  txn.recipients.push_back(std::move(*recipient));
  session.say({250, "2.1.5", "Ok"});
  return std::nullopt;
}

}  // namespace postern::lmtp
