// AUTH (RFC 4954), offered over TCP where lmtp.require_auth asks for it.
#include "lib/auth/conversation.h"
#include "lib/base/text.h"
#include "lib/service/login.h"
#include "lmtpd/command/table.h"

namespace postern::lmtp {
namespace {

constexpr std::size_t kMaxResponse = 16384;  // RFC 4954 §4: 12288 at least

Result<auth::Login> authenticate(Session& session, std::string_view mechanism,
                                 const std::optional<auth::Secret>& initial) {
  const auto ask = [&session](std::string_view challenge) -> Result<auth::Secret> {
    session.stream.write("334 " + to_base64(challenge) + "\r\n");
    return auth::parse_response(TRY(session.stream.read_line(kMaxResponse)).text);
  };
  return auth::converse(session.back.auth.begin(service::channel_of(session.facts, "lmtp")),
                        mechanism, initial, ask);
}

bool is_of_the_stream(Errc code) { return code == Errc::closed || code == Errc::timed_out; }

}  // namespace

Flow run_auth(Session& session, std::string_view argument) {
  if (!session.offers_auth()) return session.mistake({502, "5.5.1", "AUTH is not offered here"});
  if (!session.conn.authenticated.empty())
    return session.mistake({503, "5.5.1", "Authenticated already"});
  const auto space = argument.find(' ');
  const std::string_view mechanism = argument.substr(0, space);
  const auto initial = auth::parse_initial_response(
      space == std::string_view::npos ? std::string_view() : argument.substr(space + 1));
  if (mechanism.empty() || !initial)
    return session.mistake({501, "5.5.2", "Bad syntax: AUTH MECHANISM [base64] expected"});
  const std::string name(mechanism);
  const auto login = authenticate(session, name, *initial);
  if (login) {
    session.conn.authenticated = login->identity.user.text();
    service::log_login(session.facts, *login, session.conn.lhlo_name);
    session.say({235, "2.7.0", "Authenticated"});
    return std::nullopt;
  }
  if (is_of_the_stream(login.error().code)) return session.broken(login.error());
  service::log_failed_login(session.facts, name, "", login.error());
  const Reply reply = transaction_reply(login.error().code);
  if (login.error().code != Errc::auth_failed) return session.mistake(reply);
  return session.park_with(reply, session.runtime.login_failed({}));
}

}  // namespace postern::lmtp
