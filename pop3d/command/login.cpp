// USER, PASS (RFC 1939 §7) and AUTH (RFC 5034): the ways into TRANSACTION state.
#include "lib/base/text.h"
#include "lib/log/log.h"
#include "lib/store/provision.h"
#include "pop3d/command/table.h"
#include "pop3d/reply.h"
#include "pop3d/session.h"

namespace postern::pop3d {
namespace {

constexpr std::size_t kMaxAuthLine = 16 << 10;
constexpr std::uint32_t kMaxFailedLogins = 5;

/// "anna+Lists/dev": the user, and the mailbox to open in place of INBOX.
struct ClaimedName {
  std::string user;
  std::string detail;
};

ClaimedName split_detail(std::string_view text) {
  const auto plus = text.find('+');
  if (plus == std::string_view::npos) return {std::string(text), {}};
  const auto at = text.find('@', plus);
  const auto detail = text.substr(plus + 1, at == std::string_view::npos ? at : at - plus - 1);
  std::string user(text.substr(0, plus));
  if (at != std::string_view::npos) user += text.substr(at);
  return {std::move(user), std::string(detail)};
}

void refuse(Pop3& session, std::string_view user, const Error& error) {
  LOG(notice, "login.failed", {"conn", session.facts.session_id}, {"service", "pop3"},
      {"user", user}, {"peer", session.facts.peer_address}, {"error", error.text});
  if (error.code != Errc::auth_failed && error.code != Errc::no_permission)
    return session.err(error);
  if (++session.conn.failed_logins >= kMaxFailedLogins) {
    session.err(error);
    return session.end("too many failed logins");
  }
  session.delay(session.runtime.login_failed(user), reply_to(error.code));
}

void admit(Pop3& session, const Result<auth::Login>& login, const std::string& detail,
           std::string_view claimed) {
  if (!login) return refuse(session, claimed, login.error());
  if (const auto entered = session.enter(*login, detail); !entered)
    return session.err(entered.error());
  LOG(notice, "login.ok", {"conn", session.facts.session_id}, {"service", "pop3"},
      {"user", session.conn.who.user.text()}, {"mechanism", login->mechanism},
      {"peer", session.facts.peer_address}, {"tls", session.facts.tls_version},
      {"mailbox", session.conn.maildrop.name.text()});
  session.ok("Logged in");
}

void list_mechanisms(Pop3& session) {
  session.ok("Mechanisms follow");
  for (const std::string& name : session.worker.auth->mechanisms(session.channel()))
    session.stream.write(name + "\r\n");
  session.stream.write(".\r\n");
}

/// The client's next line; nothing when it cancels or goes away.
Result<std::string> read_response(Pop3& session) {
  const auto line = TRY(session.stream.read_line(kMaxAuthLine));
  if (line.text == "*") return fail(Errc::bad_syntax, "cancelled by the client");
  return from_base64(line.text);
}

/// RFC 5034 §4: challenges and responses in base64 until the exchange is over.
Result<auth::Login> converse(Pop3& session, std::string_view mechanism,
                             const std::optional<auth::Secret>& initial) {
  auto exchange = session.worker.auth->begin(session.channel());
  auto step = TRY(exchange.start(mechanism, initial));
  while (!step.login || step.challenge) {
    session.stream.write(fmt::format("+ {}\r\n", to_base64(step.challenge.value_or(""))));
    const std::string response = TRY(read_response(session));
    if (step.login) break;  // the empty answer to data that came with success
    step = TRY(exchange.step(auth::Secret(response)));
  }
  return std::move(*step.login);
}

Result<std::optional<auth::Secret>> initial_response(std::string_view text) {
  if (text.empty()) return std::optional<auth::Secret>{};
  if (text == "=") return std::optional<auth::Secret>(auth::Secret(""));
  return std::optional<auth::Secret>(auth::Secret(TRY(from_base64(text))));
}

/// A user's first contact may be POP3: INBOX is made then.
Result<meta::MailboxEntry> maildrop_of(Pop3& session, const meta::UserName& user,
                                       const meta::MailboxName& name) {
  auto entry = session.worker.meta->lookup(name);
  const bool missing = !entry && entry.error().code == Errc::no_such_mailbox;
  if (!missing || !name.is_inbox() || !session.runtime.config().boolean("pop3.autocreate"))
    return entry;
  return store::provision_user(*session.worker.store, *session.worker.meta, user);
}

}  // namespace

void run_user(Pop3& session, Argument argument) {
  if (!session.worker.auth->plaintext_allowed(session.channel()))
    return session.err(fail(Errc::privacy_required, "USER without TLS"));
  if (argument.text.empty() || argument.text.size() > 512) return session.err("Bad syntax");
  session.conn.claimed_user = argument.text;
  session.ok("Send PASS");
}

// The whole rest of the line is the password, spaces included (RFC 1939 §7).
void run_pass(Pop3& session, Argument argument) {
  if (session.conn.claimed_user.empty()) return session.err("Send USER first");
  const auto claimed = split_detail(std::exchange(session.conn.claimed_user, {}));
  const auth::Secret password(argument.text);
  admit(session, session.worker.auth->check_password(session.channel(), claimed.user, password),
        claimed.detail, claimed.user);
}

void run_auth(Pop3& session, Argument argument) {
  if (trim(argument.text).empty()) return list_mechanisms(session);
  const auto space = argument.text.find(' ');
  const std::string mechanism = to_upper(argument.text.substr(0, space));
  const auto initial = initial_response(
      space == std::string_view::npos ? std::string_view{} : argument.text.substr(space + 1));
  if (!initial) return session.err("Bad base64");
  const auto login = converse(session, mechanism, *initial);
  if (!login && (login.error().code == Errc::closed || login.error().code == Errc::timed_out))
    return session.end("closed during AUTH");
  admit(session, login, "", mechanism);
}

Result<void> Pop3::enter(const auth::Login& login, std::string_view mailbox_detail) {
  TRY(runtime.logged_in(login.identity.user.text()));
  auto name = meta::MailboxName::inbox_of(login.identity.user);
  if (!mailbox_detail.empty()) name = TRY(name.child(mailbox_detail));
  const auto entry = TRY(maildrop_of(*this, login.identity.user, name));
  const auto rights = entry.acl.rights_of(login.identity, entry.name);
  if (!rights.has(meta::Right::read))
    return fail(Errc::no_such_mailbox, "no right r on {}", name.text());
  mailbox_ = TRY(worker.store->open_mailbox(entry));
  view_ = mailbox_->snapshot();
  conn.who = login.identity;
  conn.maildrop = {
      .view = view_->mark(), .name = entry.name, .rights = rights, .deleted = {}, .retrieved = {}};
  conn.state = State::transaction;
  return {};
}

}  // namespace postern::pop3d
