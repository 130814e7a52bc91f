// AUTH (RFC 4954), offered over TCP where lmtp.require_auth asks for it.
#include "lib/base/text.h"
#include "lib/log/log.h"
#include "lmtpd/command/table.h"

namespace postern::lmtp {
namespace {

constexpr std::size_t kMaxResponse = 16384;  // RFC 4954 §4: 12288 at least

auth::Channel channel_of(const service::Facts& facts) {
  auth::Channel out;
  out.protocol = "lmtp";
  out.tls = facts.tls;
  out.loopback = facts.loopback;
  out.channel_binding = facts.channel_binding;
  out.client_certificate = facts.client_certificate;
  return out;
}

// initial-response = base64 / "="
Result<std::optional<auth::Secret>> parse_initial(std::string_view text) {
  std::optional<auth::Secret> out;
  if (text.empty()) return out;
  out.emplace(text == "=" ? std::string() : TRY(from_base64(text)));
  return out;
}

/// Sends the challenge, reads the response. @error auth_failed  the client gave up with "*"
Result<auth::Secret> ask(Session& session, const std::string& challenge) {
  session.stream.write("334 " + to_base64(challenge) + "\r\n");
  const auto line = TRY(session.stream.read_line(kMaxResponse));
  if (line.text == "*") return fail(Errc::auth_failed, "given up by the client");
  return auth::Secret(TRY(from_base64(line.text)));
}

Result<auth::Login> authenticate(Session& session, std::string_view mechanism,
                                 std::optional<auth::Secret> initial) {
  const auto channel = channel_of(session.facts);
  auto exchange = session.back.auth.begin(channel);
  auto step = TRY(exchange.start(mechanism, initial));
  for (;;) {
    // RFC 4954 §4: data with success goes out as one more challenge, answered by an empty line.
    if (step.challenge) {
      const auto response = TRY(ask(session, *step.challenge));
      if (!step.login)
        step = TRY(exchange.step(response));
      else
        step.challenge.reset();
    }
    if (step.login && !step.challenge) return std::move(*step.login);
  }
}

bool is_of_the_stream(Errc code) { return code == Errc::closed || code == Errc::timed_out; }

}  // namespace

Flow run_auth(Session& session, std::string_view argument) {
  if (!session.offers_auth()) return session.mistake({502, "5.5.1", "AUTH is not offered here"});
  if (!session.conn.authenticated.empty())
    return session.mistake({503, "5.5.1", "Authenticated already"});
  const auto space = argument.find(' ');
  const std::string_view mechanism = argument.substr(0, space);
  auto initial = parse_initial(space == std::string_view::npos ? std::string_view()
                                                               : argument.substr(space + 1));
  if (mechanism.empty() || !initial)
    return session.mistake({501, "5.5.2", "Bad syntax: AUTH MECHANISM [base64] expected"});
  const std::string name(mechanism);
  const auto login = authenticate(session, name, std::move(*initial));
  if (login) {
    session.conn.authenticated = login->identity.user.text();
    LOG(notice, "login.ok", {"conn", session.facts.session_id},
        {"user", login->identity.user.text()}, {"mechanism", login->mechanism});
    session.say({235, "2.7.0", "Authenticated"});
    return std::nullopt;
  }
  if (is_of_the_stream(login.error().code)) return session.broken(login.error());
  LOG(notice, "login.fail", {"conn", session.facts.session_id}, {"mechanism", name},
      {"peer", session.facts.peer_address}, {"error", login.error().text});
  const Reply reply = transaction_reply(login.error().code);
  if (login.error().code != Errc::auth_failed) return session.mistake(reply);
  return session.park_with(reply, session.runtime.login_failed({}));
}

}  // namespace postern::lmtp
