// The table of ManageSieve commands (RFC 5804 §2) but AUTHENTICATE, and what they do.
#include <algorithm>
#include <array>

#include "lib/log/log.h"
#include "sieve/managesieved/authenticate.h"
#include "sieve/managesieved/session.h"

namespace postern::managesieved {
namespace {

/// The strings of the request and the user's scripts, or an answer why not.
struct Prepared {
  std::vector<std::string> strings;
  store::Scripts scripts;
};
Result<Prepared> prepare(Managesieve& session, const Request& request, std::size_t strings) {
  auto texts = TRY(request.strings(strings));
  auto scripts = TRY(session.scripts());
  return Prepared{std::move(texts), std::move(scripts)};
}

void log_change(Managesieve& session, std::string_view what, std::string_view script) {
  LOG(notice, "sieve.change", {"conn", session.facts.session_id},
      {"user", session.conn.who.user.text()}, {"operation", what}, {"script", script});
}

/// OK or NO from a result, with a log line for what changed something.
void conclude(Managesieve& session, const Result<void>& done, std::string_view what,
              std::string_view script) {
  if (!done) return session.no(done.error());
  log_change(session, what, script);
  session.ok();
}

void run_capability(Managesieve& session, const Request&) {
  session.write_capabilities();
  session.ok();
}

void run_checkscript(Managesieve& session, const Request& request) {
  const auto text = request.strings(1);
  if (!text) return session.no(text.error());
  std::string warnings;
  if (!session.check(text->front(), warnings)) return;
  session.ok(warnings, warnings.empty() ? "" : "WARNINGS");
}

void run_deletescript(Managesieve& session, const Request& request) {
  auto prepared = prepare(session, request, 1);
  if (!prepared) return session.no(prepared.error());
  const std::string& name = prepared->strings[0];
  conclude(session, prepared->scripts.remove(name), "delete", name);
}

void run_getscript(Managesieve& session, const Request& request) {
  const auto prepared = prepare(session, request, 1);
  if (!prepared) return session.no(prepared.error());
  const auto text = prepared->scripts.get(prepared->strings[0]);
  if (!text) return session.no(text.error());
  session.stream.write(fmt::format("{{{}}}\r\n{}\r\n", text->size(), *text));
  session.ok();
}

// RFC 5804 §2.5: name and size, checked without sending the script.
void run_havespace(Managesieve& session, const Request& request) {
  const auto* name =
      request.arguments.size() == 2 ? std::get_if<std::string>(&request.arguments[0]) : nullptr;
  const auto* size = name != nullptr ? std::get_if<std::uint64_t>(&request.arguments[1]) : nullptr;
  if (size == nullptr) return session.no("HAVESPACE takes a name and a number");
  const auto scripts = session.scripts();
  if (!scripts) return session.no(scripts.error());
  const auto fits = scripts->have_space(*name, *size);
  if (!fits) return session.no(fits.error());
  session.ok();
}

void run_listscripts(Managesieve& session, const Request&) {
  const auto scripts = session.scripts();
  if (!scripts) return session.no(scripts.error());
  const auto all = scripts->list();
  if (!all) return session.no(all.error());
  for (const auto& script : *all)
    session.stream.write(wire_string(script.name) + (script.active ? " ACTIVE\r\n" : "\r\n"));
  session.ok();
}

void run_logout(Managesieve& session, const Request&) {
  session.ok("Bye");
  session.end("logout");
}

// RFC 5804 §2.13: the string comes back in a TAG, so that a client finds its place.
void run_noop(Managesieve& session, const Request& request) {
  if (request.arguments.empty()) return session.ok("Done");
  const auto tag = request.strings(1);
  if (!tag) return session.no(tag.error());
  session.ok("Done", "TAG " + wire_string(tag->front()));
}

void run_putscript(Managesieve& session, const Request& request) {
  auto prepared = prepare(session, request, 2);
  if (!prepared) return session.no(prepared.error());
  const std::string& name = prepared->strings[0];
  const std::string& text = prepared->strings[1];
  if (text.empty()) return session.no("A script can't be empty");  // RFC 5804 §2.6
  std::string warnings;
  if (!session.check(text, warnings)) return;
  if (const auto put = prepared->scripts.put(name, text); !put) return session.no(put.error());
  log_change(session, "put", name);
  session.ok(warnings, warnings.empty() ? "" : "WARNINGS");
}

void run_renamescript(Managesieve& session, const Request& request) {
  auto prepared = prepare(session, request, 2);
  if (!prepared) return session.no(prepared.error());
  conclude(session, prepared->scripts.rename(prepared->strings[0], prepared->strings[1]), "rename",
           prepared->strings[1]);
}

void run_setactive(Managesieve& session, const Request& request) {
  auto prepared = prepare(session, request, 1);
  if (!prepared) return session.no(prepared.error());
  conclude(session, prepared->scripts.activate(prepared->strings[0]), "activate",
           prepared->strings[0]);
}

// RFC 5804 §2.2; what was pipelined behind it could be an attacker's, so it ends the session.
void run_starttls(Managesieve& session, const Request&) {
  if (!session.starttls_offered()) return session.no("TLS is not available");
  if (session.stream.more_input_buffered()) return session.bye("Nothing may follow STARTTLS");
  session.begin_tls();
}

void run_unauthenticate(Managesieve& session, const Request&) {
  session.conn.who = {};
  session.begin_trace();  // ends it
  session.ok();
}

using In = Command::In;
constexpr std::array kCommands{
    Command{"AUTHENTICATE", In::before_login, 2, run_authenticate},
    Command{"CAPABILITY", In::any, 0, run_capability},
    Command{"CHECKSCRIPT", In::after_login, 1, run_checkscript},
    Command{"DELETESCRIPT", In::after_login, 1, run_deletescript},
    Command{"GETSCRIPT", In::after_login, 1, run_getscript},
    Command{"HAVESPACE", In::after_login, 2, run_havespace},
    Command{"LISTSCRIPTS", In::after_login, 0, run_listscripts},
    Command{"LOGOUT", In::any, 0, run_logout},
    Command{"NOOP", In::any, 1, run_noop},
    Command{"PUTSCRIPT", In::after_login, 2, run_putscript},
    Command{"RENAMESCRIPT", In::after_login, 2, run_renamescript},
    Command{"SETACTIVE", In::after_login, 1, run_setactive},
    Command{"STARTTLS", In::before_login, 0, run_starttls},
    Command{"UNAUTHENTICATE", In::after_login, 0, run_unauthenticate},
};
static_assert(std::ranges::is_sorted(kCommands, {}, &Command::name));

}  // namespace

const Command* find_command(std::string_view name) {
  const auto at = std::ranges::lower_bound(kCommands, name, {}, &Command::name);
  return at != kCommands.end() && at->name == name ? &*at : nullptr;
}

}  // namespace postern::managesieved
