#include "sieve/managesieved/authenticate.h"

#include "lib/auth/conversation.h"
#include "lib/base/text.h"
#include "lib/service/login.h"

namespace postern::managesieved {
namespace {

constexpr std::uint32_t kMaxFailedLogins = 5;

/// A line with one string, which may be a literal; "*" cancels.
Result<auth::Secret> read_response(net::Stream& in) {
  const auto line = TRY(in.read_line(16 << 10));
  std::string text(line.text);
  if (text.starts_with('{') && text.ends_with("+}")) {
    const auto size = parse_u32(std::string_view(text).substr(1, text.size() - 3));
    if (!size || *size > (16U << 10)) return fail(Errc::too_big, "SASL response too long");
    text = TRY(in.read_exactly(std::size_t{*size}));
    TRY(in.skip_line());
  } else if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    text = text.substr(1, text.size() - 2);
  } else {
    return fail(Errc::bad_syntax, "not a string");
  }
  return auth::parse_response(text);
}

Result<auth::Login> authenticate(Managesieve& session, std::string_view mechanism,
                                 const std::optional<auth::Secret>& initial,
                                 std::optional<std::string>& with_success) {
  const auto ask = [&session](std::string_view challenge) {
    session.stream.write(wire_string(to_base64(challenge)) + "\r\n");
    return read_response(session.stream);
  };
  return auth::converse(session.worker.auth->begin(session.channel()), mechanism, initial, ask,
                        &with_success);
}

void refuse(Managesieve& session, std::string_view mechanism, const Error& error) {
  if (error.code == Errc::closed || error.code == Errc::timed_out)
    return session.end("closed during AUTHENTICATE");
  service::log_failed_login(session.facts, mechanism, "", error);
  if (error.code != Errc::auth_failed && error.code != Errc::no_permission)
    return session.no(error);
  if (++session.conn.failed_logins >= kMaxFailedLogins)
    return session.bye("Too many failed logins");
  session.delay(session.runtime.login_failed(""), "NO \"Authentication failed\"\r\n");
}

Result<std::optional<auth::Secret>> initial_response(const std::vector<Argument>& arguments) {
  if (arguments.size() < 2) return std::optional<auth::Secret>{};
  const auto* text = std::get_if<std::string>(&arguments[1]);
  if (text == nullptr) return fail(Errc::bad_syntax, "not a string");
  return std::optional<auth::Secret>(auth::Secret(TRY(from_base64(*text))));
}

}  // namespace

void run_authenticate(Managesieve& session, const Request& request) {
  const auto* name =
      request.arguments.empty() ? nullptr : std::get_if<std::string>(&request.arguments[0]);
  if (name == nullptr) return session.no("AUTHENTICATE takes a mechanism");
  const std::string mechanism = to_upper(*name);
  const auto initial = initial_response(request.arguments);
  if (!initial) return session.no(initial.error());
  std::optional<std::string> with_success;
  const auto login = authenticate(session, mechanism, *initial, with_success);
  if (!login) return refuse(session, mechanism, login.error());
  const std::string& user = login->identity.user.text();
  if (const auto counted = session.runtime.logged_in(user); !counted)
    return session.no("Too many sessions", "TRYLATER");
  session.conn.who = login->identity;
  service::log_login(session.facts, *login, "");
  session.begin_trace();
  session.ok("Logged in",
             with_success ? "SASL " + wire_string(to_base64(*with_success)) : std::string());
}

}  // namespace postern::managesieved
