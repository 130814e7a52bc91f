// LOGIN and AUTHENTICATE (RFC 9051 §6.2.2, §6.2.3; SASL-IR: RFC 4959), and STARTTLS (§6.2.1).
#include "imapd/login.h"
#include "imapd/command/commands.h"
#include "imapd/grammar.h"
#include "lib/auth/auth.h"
#include "lib/base/text.h"

namespace postern::imap {
namespace {

constexpr std::size_t kMostSaslLine = 64 << 10;

// The client's next line of an exchange, decoded.
// @error bad_syntax  "*" (it gives up), or not base64
Result<auth::Secret> read_response(net::Stream& stream) {
  const net::Line line = TRY(stream.read_line(kMostSaslLine));
  if (line.text == "*") return fail(Errc::bad_syntax, "Authentication was cancelled");
  auto octets = from_base64(line.text);
  if (!octets) return fail(Errc::bad_syntax, "the response is not base64");
  return auth::Secret(*octets);
}

Result<auth::Secret> converse(Context& ctx, std::string_view challenge) {
  ctx.out.write("+ ");
  ctx.out.write(to_base64(challenge));
  ctx.out.write("\r\n");
  TRY(ctx.out.stream().flush());
  return read_response(ctx.out.stream());
}

// A mechanism's last words come as one more challenge, which the client answers with nothing
// (RFC 4422 §3.5: IMAP's OK can't carry them).
Result<auth::Login> exchange(Context& ctx, const Authenticate::Request& request) {
  auth::Exchange talk = ctx.back.auth.begin(channel_of(ctx));
  auto step = TRY(talk.start(request.mechanism, request.initial));
  while (!step.login) {
    const auth::Secret response = TRY(converse(ctx, step.challenge.value_or("")));
    step = TRY(talk.step(response));
  }
  if (step.challenge) TRY(converse(ctx, *step.challenge));
  return std::move(*step.login);
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
  if (!login) return login_refused(ctx, request.user, login.error());
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
  if (!login) return login_refused(ctx, "", login.error());
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
