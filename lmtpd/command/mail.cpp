// MAIL (RFC 5321 §4.1.1.2) with SIZE (RFC 1870), BODY (RFC 6152, RFC 3030), SMTPUTF8 (RFC 6531),
// RET and ENVID (RFC 3461 §4.3, §4.4).
#include <algorithm>

#include "lib/base/text.h"
#include "lmtpd/command/table.h"

namespace postern::lmtp {
namespace {

constexpr std::size_t kMaxEnvelopeId = 100;  // RFC 3461 §4.4

Error bad_value(const Parameter& parameter) {
  return fail(Errc::bad_syntax, "bad value of {}", parameter.keyword);
}

Result<Body> parse_body(const Parameter& parameter) {
  const std::string_view value = parameter.value ? *parameter.value : std::string_view();
  if (iequals(value, "7BIT")) return Body::seven_bit;
  if (iequals(value, "8BITMIME")) return Body::eight_bit;
  if (iequals(value, "BINARYMIME")) return Body::binary;
  return bad_value(parameter);
}

/// size-value = 1*20DIGIT (RFC 1870 §5); what 64 bits don't hold is too big whatever it is.
Result<std::uint64_t> parse_size(const Parameter& parameter) {
  constexpr std::size_t kMostDigits = 20;
  const std::string_view value = parameter.value ? *parameter.value : std::string_view();
  if (value.empty() || value.size() > kMostDigits || !std::ranges::all_of(value, ascii_digit))
    return bad_value(parameter);
  return parse_u64(value).value_or(UINT64_MAX);
}

Result<void> take_return_content(const Parameter& parameter, Sender& to) {
  const std::string_view value = parameter.value ? *parameter.value : std::string_view();
  to.ret = to_upper(value);
  if (to.ret == "HDRS" || to.ret == "FULL") return {};
  return bad_value(parameter);
}

Result<void> take_envelope_id(const Parameter& parameter, Sender& to) {
  if (!parameter.value || parameter.value->size() > kMaxEnvelopeId) return bad_value(parameter);
  to.envelope_id = TRY(decode_xtext(*parameter.value));
  return {};
}

/// For scripts; nothing else depends on it. "<>": the MTA doesn't know or doesn't say.
Result<void> take_submitter(const Parameter& parameter, Sender& to) {
  to.auth = TRY(decode_xtext(*parameter.value));
  if (to.auth == "<>") to.auth.clear();
  return {};
}

/// @error not_supported  a parameter that isn't ours
Result<void> take_parameter(const Parameter& parameter, Sender& to) {
  if (parameter.keyword == "SIZE") {
    to.size = TRY(parse_size(parameter));
    return {};
  }
  if (parameter.keyword == "BODY") {
    to.body = TRY(parse_body(parameter));
    return {};
  }
  if (parameter.keyword == "SMTPUTF8") {
    to.smtputf8 = true;
    if (parameter.value) return bad_value(parameter);
    return {};
  }
  if (parameter.keyword == "RET") return take_return_content(parameter, to);
  if (parameter.keyword == "ENVID") return take_envelope_id(parameter, to);
  if (parameter.keyword == "AUTH" && parameter.value) return take_submitter(parameter, to);
  return fail(Errc::not_supported, "{}", parameter.keyword);
}

Result<Sender> parse_mail(std::string_view argument) {
  auto path = TRY(parse_path_argument(argument, "FROM:"));
  Sender out;
  for (const auto& parameter : path.parameters) TRY(take_parameter(parameter, out));
  out.address = std::move(path.address);
  return out;
}

}  // namespace

Flow run_mail(Session& session, std::string_view argument) {
  auto sender = parse_mail(argument);
  if (!sender && sender.error().code == Errc::not_supported)
    return session.mistake({555, "5.5.4", "Unknown parameter"});
  if (!sender) return session.mistake({501, "5.5.4", "Bad syntax: MAIL FROM:<address> expected"});
  if (session.offers_auth() && session.conn.authenticated.empty())
    return session.mistake({530, "5.7.0", "Authenticate first"});
  // RFC 6531 §3.5: an address beyond ASCII only with SMTPUTF8
  if (sender->address && !sender->smtputf8 && !is_ascii(sender->address->raw))
    return session.mistake({553, "5.6.7", "A non-ASCII address needs SMTPUTF8"});
  if (sender->address && !is_utf8(sender->address->raw))
    return session.mistake({553, "5.1.7", "Address is not UTF-8"});
  if (sender->size && *sender->size > session.back.options.max_message) {
    session.say(transaction_reply(Errc::too_big));
    return std::nullopt;
  }
  session.begin_transaction(std::move(*sender));
  session.say({250, "2.1.0", "Ok"});
  return std::nullopt;
}

}  // namespace postern::lmtp
