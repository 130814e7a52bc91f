// CAPA (RFC 2449), and the small commands that change the session: LANG, UTF8 (RFC 6856), NOOP,
// RSET, STLS (RFC 2595 §4), QUIT (RFC 1939 §6).
#include "lib/base/text.h"
#include "lib/log/log.h"
#include "pop3d/command/table.h"
#include "pop3d/session.h"

namespace postern::pop3d {
namespace {

void write_auth_capabilities(Pop3& session) {
  const auto channel = session.channel();
  if (session.worker.auth->plaintext_allowed(channel)) session.stream.write("USER\r\n");
  const auto mechanisms = session.worker.auth->mechanisms(channel);
  if (!mechanisms.empty()) {
    session.stream.write("SASL");
    for (const std::string& name : mechanisms) session.stream.write(" " + name);
    session.stream.write("\r\n");
  }
  if (!session.facts.tls && session.runtime.tls_available()) session.stream.write("STLS\r\n");
}

/// RFC 2449 §6.6, §6.7.
void write_policies(Pop3& session) {
  const auto& config = session.runtime.config();
  const auto days = config.integer("pop3.expire_days");
  session.stream.write(days == 0 ? "EXPIRE NEVER\r\n" : fmt::format("EXPIRE {}\r\n", days));
  const auto delay = config.duration("pop3.login_delay").count() / 1000;
  if (delay > 0) session.stream.write(fmt::format("LOGIN-DELAY {}\r\n", delay));
}

/// "2,5:7" of ascending uids, as logs have them.
std::string uid_set(const std::vector<Uid>& uids) {
  std::string out;
  for (std::size_t i = 0; i < uids.size();) {
    std::size_t end = i + 1;
    while (end < uids.size() && uids[end] == uids[end - 1].next()) ++end;
    out += fmt::format("{}{}", out.empty() ? "" : ",", uids[i]);
    if (end - i > 1) out += fmt::format(":{}", uids[end - 1]);
    i = end;
  }
  return out;
}

}  // namespace

void run_capa(Pop3& session, Argument) {
  session.ok("Capability list follows");
  session.stream.write(
      "TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n"
      "UTF8\r\nLANG\r\nIMPLEMENTATION Postern\r\n");
  write_policies(session);
  if (session.conn.state == State::authorization) write_auth_capabilities(session);
  session.stream.write(".\r\n");
}

// RFC 6856 §3.2: English is all there is.
void run_lang(Pop3& session, Argument argument) {
  if (!argument.given) {
    session.ok("Language list follows");
    session.stream.write("i-default Default language\r\nen English\r\n.\r\n");
  } else if (iequals(argument.text, "en") || istarts_with(argument.text, "en-") ||
             argument.text == "*" || iequals(argument.text, "i-default")) {
    session.ok("en English");
  } else {
    session.err("No such language");
  }
}

void run_utf8(Pop3& session, Argument) {
  session.conn.utf8 = true;
  session.ok("UTF8 enabled");
}

void run_noop(Pop3& session, Argument) { session.ok(); }

void run_rset(Pop3& session, Argument) {
  session.conn.maildrop.deleted.clear();
  session.ok();
}

// RFC 2595 §4; what was pipelined behind STLS could be an attacker's, so it ends the session.
void run_stls(Pop3& session, Argument) {
  if (session.facts.tls) return session.err("TLS is on already");
  if (!session.runtime.tls_available()) return session.err("[SYS/TEMP] TLS is not available");
  if (session.stream.more_input_buffered()) {
    session.err("Nothing may follow STLS");
    return session.end("input behind STLS");
  }
  session.begin_tls();
}

// The UPDATE state: what was marked is expunged, durably, before the answer (RFC 1939 §6).
void run_quit(Pop3& session, Argument) {
  auto& deleted = session.conn.maildrop.deleted;
  if (!deleted.empty()) {
    std::vector<store::RecNo> records;
    records.reserve(deleted.size());
    for (const std::uint32_t number : deleted) records.push_back(session.view().at(SeqNum(number)));
    session.commit_seen();
    const auto gone = session.mailbox().expunge(records, false);
    if (!gone) {
      session.err(gone.error());
      return session.end("deletions failed");
    }
    LOG(notice, "mailbox.expunge", {"conn", session.facts.session_id},
        {"user", session.conn.who.user.text()}, {"mailbox", session.conn.maildrop.name.text()},
        {"uidvalidity", session.mailbox().uidvalidity()}, {"uids", uid_set(gone->uids)},
        {"modseq", gone->modseq});
  }
  session.ok("Bye");
  session.end("logout");
}

}  // namespace postern::pop3d
