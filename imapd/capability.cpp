// What is announced, when, and which text defines it.
#include "imapd/capability.h"

#include <array>

#include "imapd/login.h"

namespace postern::imap {
namespace {

enum class Announce : std::uint8_t { always, before_login, after_login };

struct CapabilityRow {
  std::string_view name;
  Announce when;
  std::string_view text;  // where it is defined
};

// LITERAL+ would let strangers send at will: before login it is LITERAL-, and the two are never
// announced together (RFC 7888 §6).
constexpr std::array kCapabilities{
    CapabilityRow{"IMAP4rev1", Announce::always, "RFC 3501"},
    CapabilityRow{"LITERAL-", Announce::before_login, "RFC 7888"},
    CapabilityRow{"LITERAL+", Announce::after_login, "RFC 7888"},
    CapabilityRow{"SASL-IR", Announce::before_login, "RFC 4959"},
    CapabilityRow{"ENABLE", Announce::always, "RFC 5161"},
    CapabilityRow{"ID", Announce::always, "RFC 2971"},
    CapabilityRow{"IDLE", Announce::after_login, "RFC 2177"},
    CapabilityRow{"NAMESPACE", Announce::after_login, "RFC 2342"},
    CapabilityRow{"UIDPLUS", Announce::after_login, "RFC 4315"},
    CapabilityRow{"UNSELECT", Announce::after_login, "RFC 3691"},
    CapabilityRow{"MOVE", Announce::after_login, "RFC 6851"},
    CapabilityRow{"MULTIAPPEND", Announce::after_login, "RFC 3502"},
    CapabilityRow{"CONDSTORE", Announce::after_login, "RFC 7162"},
    CapabilityRow{"QRESYNC", Announce::after_login, "RFC 7162"},
    CapabilityRow{"BINARY", Announce::after_login, "RFC 3516"},
    CapabilityRow{"CHILDREN", Announce::after_login, "RFC 3348"},
    CapabilityRow{"LIST-EXTENDED", Announce::after_login, "RFC 5258"},
    CapabilityRow{"LIST-STATUS", Announce::after_login, "RFC 5819"},
    CapabilityRow{"LIST-MYRIGHTS", Announce::after_login, "RFC 8440"},
    CapabilityRow{"STATUS=SIZE", Announce::after_login, "RFC 8438"},
    CapabilityRow{"SPECIAL-USE", Announce::after_login, "RFC 6154"},
    CapabilityRow{"CREATE-SPECIAL-USE", Announce::after_login, "RFC 6154"},
    CapabilityRow{"ACL", Announce::after_login, "RFC 4314"},
    CapabilityRow{"RIGHTS=kxten", Announce::after_login, "RFC 4314"},
    CapabilityRow{"QUOTA", Announce::after_login, "RFC 9208"},
    CapabilityRow{"QUOTA=RES-STORAGE", Announce::after_login, "RFC 9208"},
    CapabilityRow{"QUOTA=RES-MESSAGE", Announce::after_login, "RFC 9208"},
    CapabilityRow{"QUOTA=RES-MAILBOX", Announce::after_login, "RFC 9208"},
    CapabilityRow{"QUOTA=RES-ANNOTATION-STORAGE", Announce::after_login, "RFC 9208"},
    CapabilityRow{"QUOTASET", Announce::after_login, "RFC 9208"},
    CapabilityRow{"METADATA", Announce::after_login, "RFC 5464"},
    CapabilityRow{"METADATA-SERVER", Announce::after_login, "RFC 5464"},
    CapabilityRow{"ESEARCH", Announce::after_login, "RFC 4731"},
    CapabilityRow{"SEARCHRES", Announce::after_login, "RFC 5182"},
    CapabilityRow{"WITHIN", Announce::after_login, "RFC 5032"},
    CapabilityRow{"UTF8=ACCEPT", Announce::after_login, "RFC 6855"},
    CapabilityRow{"OBJECTID", Announce::after_login, "RFC 8474"},
    CapabilityRow{"SAVEDATE", Announce::after_login, "RFC 8514"},
};

std::string rows_for(bool known) {
  std::string out;
  for (const CapabilityRow& row : kCapabilities) {
    if (row.when == (known ? Announce::before_login : Announce::after_login)) continue;
    if (!out.empty()) out += ' ';
    out += row.name;
  }
  return out;
}

// How to log in here: STARTTLS, LOGINDISABLED (RFC 9051 §6.2.3) and the mechanisms.
std::string login_rows(const auth::Authenticator& auth, const auth::Channel& channel,
                       bool start_tls) {
  std::string out;
  if (start_tls && !channel.tls) out += " STARTTLS";
  if (!auth.plaintext_allowed(channel)) out += " LOGINDISABLED";
  for (const std::string& mechanism : auth.mechanisms(channel)) out += " AUTH=" + mechanism;
  return out;
}

}  // namespace

std::string capabilities(const Context& ctx) {
  if (ctx.conn.state == Connection::State::not_authenticated)
    return rows_for(false) + login_rows(ctx.back.auth, channel_of(ctx), ctx.back.options.start_tls);
  const bool compress = ctx.runtime.tls_available() && !ctx.facts.compressed;
  const std::string& sieve = ctx.back.options.sieve_url;  // RFC 6785 §2.1
  return rows_for(true) + (compress ? " COMPRESS=DEFLATE" : "") +
         (sieve.empty() ? "" : " IMAPSIEVE=" + sieve) +
         fmt::format(" APPENDLIMIT={}", ctx.back.options.append_limit);
}

std::string greeting_capabilities(const auth::Authenticator& auth, const Options& options, bool tls,
                                  bool loopback) {
  const auth::Channel channel{.protocol = "imap", .tls = tls, .loopback = loopback};
  return rows_for(false) + login_rows(auth, channel, options.start_tls);
}

}  // namespace postern::imap
