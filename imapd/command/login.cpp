// LOGIN and AUTHENTICATE (RFC 9051 §6.2.2, §6.2.3; SASL-IR: RFC 4959), and STARTTLS (§6.2.1).
#include "imapd/login.h"
#include "imapd/command/commands.h"
#include "imapd/grammar.h"
#include "lib/auth/conversation.h"
#include "lib/base/text.h"

namespace postern::imap {
namespace {

constexpr std::size_t kMostSaslLine = 64 << 10;

// A mechanism's last words come as one more challenge: IMAP's OK can't carry them.
Result<auth::Login> exchange(Context& ctx, const Authenticate::Request& request) {
  const auto ask = [&ctx](std::string_view challenge) -> Result<auth::Secret> {
    ctx.out.write("+ ");
    ctx.out.write(to_base64(challenge));
    ctx.out.write("\r\n");
    return auth::parse_response(TRY(ctx.out.stream().read_line(kMostSaslLine)).text);
  };
  return auth::converse(ctx.back.auth.begin(channel_of(ctx)), request.mechanism, request.initial,
                        ask);
}

}  // namespace

// login = "LOGIN" SP userid SP password
Result<Login::Request> Login::parse(Cursor& in) {
  Request request;
  TRY(in.space());
  request.user = TRY(parse_astring(in));
  TRY(in.space());
  request.password = auth::Secret(TRY(parse_astring(in)));
  return request;
}

Completion Login::respond(const Request& request, Context& ctx) {
  auto login = ctx.back.auth.check_password(channel_of(ctx), request.user, request.password);
  if (!login) return login_refused(ctx, "password", request.user, login.error());
  return logged_in(ctx, *login);
}

// authenticate = "AUTHENTICATE" SP auth-type [SP initial-resp]; initial-resp = (base64 / "=")
Result<Authenticate::Request> Authenticate::parse(Cursor& in) {
  Request request;
  TRY(in.space());
  request.mechanism = to_upper(TRY(parse_atom(in)));
  if (!in.take(' ')) return request;
  const std::string_view initial = in.take_while([](char c) { return c > ' '; });
  auto octets = from_base64(initial == "=" ? "" : initial);
  if (!octets || initial.empty()) return in.expected("base64");
  request.initial.emplace(*octets);
  return request;
}

Completion Authenticate::respond(const Request& request, Context& ctx) {
  auto login = exchange(ctx, request);
  if (!login) return login_refused(ctx, request.mechanism, "", login.error());
  return logged_in(ctx, *login);
}

Result<void> StartTls::plan(const Nothing&, Context& ctx) {
  if (ctx.facts.tls) return fail(Errc::bad_syntax, "TLS is active already");
  return {};
}

Completion StartTls::respond(const Nothing&, Context&) {
  return {Completion::Kind::start_tls, {}, {}};
}

}  // namespace postern::imap
