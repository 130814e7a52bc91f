// USER, PASS (RFC 1939 §7) and AUTH (RFC 5034): the ways into TRANSACTION state.
#include "lib/service/login.h"
#include "lib/auth/conversation.h"
#include "lib/base/text.h"
#include "lib/store/provision.h"
#include "pop3d/command/table.h"
#include "pop3d/daemon.h"
#include "pop3d/reply.h"
#include "pop3d/session.h"

namespace postern::pop3d {
namespace {

constexpr std::size_t kMaxAuthLine = 16 << 10;
constexpr std::uint32_t kMaxFailedLogins = 5;

void refuse(Pop3& session, std::string_view mechanism, std::string_view user, const Error& error) {
  service::log_failed_login(session.facts, mechanism, user, error);
  if (error.code != Errc::auth_failed && error.code != Errc::no_permission)
    return session.err(error);
  if (++session.conn.failed_logins >= kMaxFailedLogins) {
    session.err(error);
    return session.end("too many failed logins");
  }
  session.delay(session.runtime.login_failed(user), reply_to(error.code));
}

/// RFC 2449 §8.1.1: [LOGIN-DELAY] when the user comes too often.
bool comes_too_early(Pop3& session, const auth::Login& login) {
  const auto& config = session.runtime.config();
  const auto interval =
      std::chrono::duration_cast<std::chrono::seconds>(config.duration("pop3.login_delay"));
  const auto burst = static_cast<std::uint32_t>(config.integer("pop3.login_burst"));
  const auto early = session.runtime.too_early(login.identity.user.text(), interval, burst);
  if (early.count() == 0) return false;
  session.err(fmt::format("[LOGIN-DELAY] Come again in {} seconds", early.count()));
  return true;
}

void admit(Pop3& session, const Result<auth::Login>& login, std::string_view mechanism,
           std::string_view claimed) {
  if (!login) return refuse(session, mechanism, claimed, login.error());
  if (comes_too_early(session, *login)) return;
  if (const auto entered = session.enter(*login); !entered) return session.err(entered.error());
  service::log_login(session.facts, *login, "");
  session.begin_trace();
  session.ok("Logged in");
}

void list_mechanisms(Pop3& session) {
  session.ok("Mechanisms follow");
  for (const std::string& name : session.worker.auth->mechanisms(session.channel()))
    session.stream.write(name + "\r\n");
  session.stream.write(".\r\n");
}

/// RFC 5034 §4: challenges and responses in base64 until the exchange is over.
Result<auth::Login> authenticate(Pop3& session, std::string_view mechanism,
                                 const std::optional<auth::Secret>& initial) {
  const auto ask = [&session](std::string_view challenge) -> Result<auth::Secret> {
    session.stream.write(fmt::format("+ {}\r\n", to_base64(challenge)));
    return auth::parse_response(TRY(session.stream.read_line(kMaxAuthLine)).text);
  };
  return auth::converse(session.worker.auth->begin(session.channel()), mechanism, initial, ask);
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
  const std::string claimed = std::exchange(session.conn.claimed_user, {});
  const auth::Secret password(argument.text);
  admit(session, session.worker.auth->check_password(session.channel(), claimed, password),
        "password", claimed);
}

// RFC 1939 §7. The challenge is that of the greeting; after STLS there was none for this session.
void run_apop(Pop3& session, Argument argument) {
  if (!session.runtime.config().boolean("pop3.apop") || session.facts.greeted)
    return session.err("APOP is not offered");
  const auto space = argument.text.rfind(' ');
  if (space == std::string_view::npos) return session.err("Bad syntax: APOP name digest");
  const std::string_view user = argument.text.substr(0, space);
  const auto login = session.worker.auth->check_apop(
      session.channel(), apop_challenge(session.facts), user, argument.text.substr(space + 1));
  admit(session, login, "APOP", user);
}

void run_auth(Pop3& session, Argument argument) {
  if (trim(argument.text).empty()) return list_mechanisms(session);
  const auto space = argument.text.find(' ');
  const std::string mechanism = to_upper(argument.text.substr(0, space));
  const auto initial = auth::parse_initial_response(
      space == std::string_view::npos ? std::string_view{} : argument.text.substr(space + 1));
  if (!initial) return session.err("Bad base64");
  const auto login = authenticate(session, mechanism, *initial);
  if (!login && (login.error().code == Errc::closed || login.error().code == Errc::timed_out))
    return session.end("closed during AUTH");
  admit(session, login, mechanism, "");
}

Result<void> Pop3::enter(const auth::Login& login) {
  TRY(runtime.logged_in(login.identity.user.text()));
  auto name = meta::MailboxName::inbox_of(login.identity.user);
  if (!login.detail.empty()) name = TRY(name.child(login.detail));
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
