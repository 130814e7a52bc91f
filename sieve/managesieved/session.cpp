#include "sieve/managesieved/session.h"

#include <algorithm>

#include "lib/base/text.h"
#include "lib/base/wire.h"
#include "lib/log/log.h"
#include "lib/net/trace.h"
#include "lib/service/login.h"
#include "lib/service/settings.h"

namespace postern::managesieved {
namespace {

constexpr std::uint32_t kMaxBadCommands = 10;

// Numbers are for ever: a record may outlive the program that wrote it.
enum Tag : std::uint16_t {
  kUser = 1 | kCriticalTag,
  kGroup = 2 | kCriticalTag,
  kAdmin = 3 | kCriticalTag,
  kFailedLogins = 4,
  kBadCommands = 5,
};

struct Refusal {
  std::string_view text;
  std::string_view code;  // RFC 5804 §1.3
};

// There is no default: a new Errc doesn't compile until it has an answer here.
Refusal refusal(Errc code) {
  switch (code) {
    case Errc::bad_syntax:
      return {"Bad syntax", ""};
    case Errc::not_supported:
      return {"Not supported", ""};
    case Errc::no_such_mailbox:
      return {"No such mailbox", "NONEXISTENT"};
    case Errc::mailbox_exists:
      return {"Mailbox exists", "ALREADYEXISTS"};
    case Errc::mailbox_deleted:
      return {"Mailbox was deleted", "NONEXISTENT"};
    case Errc::has_children:
      return {"Mailbox has inferiors", ""};
    case Errc::no_such_user:
      return {"Authentication failed", ""};
    case Errc::no_such_object:
      return {"No such script", "NONEXISTENT"};
    case Errc::no_permission:
      return {"Permission denied", ""};
    case Errc::auth_failed:
      return {"Authentication failed", ""};
    case Errc::privacy_required:
      return {"TLS is needed first", "ENCRYPT-NEEDED"};
    case Errc::over_quota:
      return {"Your scripts would take too much space", "QUOTA"};
    case Errc::limit:
      return {"You have too many scripts", "QUOTA/MAXSCRIPTS"};
    case Errc::too_big:
      return {"The script is too large", "QUOTA/MAXSIZE"};
    case Errc::in_use:
      return {"The script is active", "ACTIVE"};
    case Errc::unavailable:
      return {"Temporarily unavailable, try again", "TRYLATER"};
    case Errc::corrupt:
      return {"Damaged on the server", ""};
    case Errc::expunged:
      return {"It is gone", "NONEXISTENT"};
    case Errc::conflict:
      return {"A script of this name exists", "ALREADYEXISTS"};
    case Errc::closed:
      return {"Connection lost", ""};
    case Errc::timed_out:
      return {"Timed out", "TRYLATER"};
    case Errc::io:
      return {"Internal error, try again", "TRYLATER"};
  }
  return {"Internal error, try again", "TRYLATER"};
}

}  // namespace

std::string Connection::serialise() const {
  TlvWriter out;
  if (authenticated()) out.bytes(kUser, who.user.text());
  for (const std::string& group : who.groups) out.bytes(kGroup, group);
  out.number(kAdmin, static_cast<std::uint8_t>(who.admin));
  out.number(kFailedLogins, failed_logins);
  out.number(kBadCommands, bad_commands);
  return std::move(out).take();
}

Result<Connection> Connection::restore(std::string_view record) {
  Connection conn;
  TlvReader in(record);
  while (!in.at_end()) {
    const TlvField field = TRY(in.next());
    switch (field.tag) {
      case kUser:
        conn.who.user = TRY(meta::UserName::from_utf8(field.value));
        break;
      case kGroup:
        conn.who.groups.emplace_back(field.value);
        break;
      case kAdmin:
        conn.who.admin = TRY(field.number<std::uint8_t>()) != 0;
        break;
      case kFailedLogins:
        conn.failed_logins = TRY(field.number<std::uint32_t>());
        break;
      case kBadCommands:
        conn.bad_commands = TRY(field.number<std::uint32_t>());
        break;
      default:
        if ((field.tag & kCriticalTag) != 0)
          return fail(Errc::not_supported, "critical field {}", field.tag);
    }
  }
  return conn;
}

std::string capabilities(const config::Config& config, auth::Authenticator& auth,
                         const auth::Channel& channel, bool starttls, std::string_view owner) {
  std::string mechanisms;
  for (const std::string& name : auth.mechanisms(channel))
    mechanisms += (mechanisms.empty() ? "" : " ") + name;
  std::string out = "\"IMPLEMENTATION\" \"Postern\"\r\n\"VERSION\" \"1.0\"\r\n";
  out += fmt::format("\"SASL\" {}\r\n", wire_string(mechanisms));
  out += fmt::format("\"SIEVE\" {}\r\n", wire_string(sieve::capability_line({})));
  std::string methods = "mailto log";
  for (const std::string_view scheme : {"https", "http"})
    if (std::ranges::any_of(config.list("sieve.webhooks"), [&](const std::string& prefix) {
          return istarts_with(prefix, fmt::format("{}:", scheme));
        }))
      methods.append(" ").append(scheme);
  out += fmt::format("\"EXTLISTS\" \"tag urn\"\r\n\"NOTIFY\" {}\r\n", wire_string(methods));
  out += "\"MAXREDIRECTS\" \"5\"\r\n\"UNAUTHENTICATE\"\r\n";
  if (starttls) out += "\"STARTTLS\"\r\n";
  if (!owner.empty()) out += fmt::format("\"OWNER\" {}\r\n", wire_string(owner));
  return out;
}

Managesieve::Managesieve(Worker& w, service::Runtime& r, service::Session session)
    : stream(std::move(session.stream), session.unread,
             service::stream_limits(r.config(), session.facts.service)),
      facts(std::move(session.facts)),
      worker(w),
      runtime(r) {
  stream.set_interrupt([this] { return runtime.stopping(); });
  auto restored = Connection::restore(session.state);
  if (restored) {
    conn = std::move(*restored);
    begin_trace();
    return;
  }
  LOG(error, "sieve.bad_record", {"conn", facts.session_id}, {"error", restored.error().text});
  bye("Session state is unknown to this version");
}

// Not before login: passwords are for nobody's eyes.
void Managesieve::begin_trace() {
  if (conn.who.user.empty()) return stream.set_trace(nullptr);
  stream.set_trace(net::Trace::begin(worker.trace_directory, conn.who.user.text(), facts.service,
                                     facts.session_id));
}

void Managesieve::ok(std::string_view text, std::string_view code) {
  stream.write("OK");
  if (!code.empty()) stream.write(fmt::format(" ({})", code));
  if (!text.empty()) stream.write(" " + wire_string(text));
  stream.write("\r\n");
}

void Managesieve::no(std::string_view text, std::string_view code) {
  stream.write("NO");
  if (!code.empty()) stream.write(fmt::format(" ({})", code));
  stream.write(fmt::format(" {}\r\n", wire_string(text)));
}

void Managesieve::no(const Error& error) {
  if (error.code == Errc::io || error.code == Errc::unavailable || error.code == Errc::corrupt)
    LOG(error, "sieve.error", {"conn", facts.session_id}, {"user", conn.who.user.text()},
        {"error", error.text});
  const Refusal why = refusal(error.code);
  no(why.text, why.code);
}

void Managesieve::bye(std::string_view text, std::string_view code) {
  stream.write("BYE");
  if (!code.empty()) stream.write(fmt::format(" ({})", code));
  stream.write(fmt::format(" {}\r\n", wire_string(text)));
  end(std::string(text));
}

void Managesieve::delay(std::chrono::milliseconds delay, std::string reply) {
  delay_ = delay;
  delayed_ = std::move(reply);
}

auth::Channel Managesieve::channel() const { return service::channel_of(facts, "sieve"); }

// RFC 5804 §1.7: not once AUTHENTICATE has succeeded.
bool Managesieve::starttls_offered() const {
  return !facts.tls && !conn.authenticated() && runtime.tls_available();
}

void Managesieve::write_capabilities() {
  stream.write(capabilities(runtime.config(), *worker.auth, channel(), starttls_offered(),
                            conn.who.user.text()));
}

Result<store::Scripts> Managesieve::scripts() {
  return store::Scripts::of(runtime.config(), TRY(worker.meta->user(conn.who.user, true)));
}

bool Managesieve::check(std::string_view text, std::string& warnings) {
  sieve::Diagnostics found;
  const auto script = sieve::compile(text, {}, found);
  std::string lines;
  for (const auto& diagnostic : found)
    lines +=
        fmt::format("{}:{}: {}\r\n", diagnostic.at.line, diagnostic.at.column, diagnostic.text);
  if (script == nullptr)
    no(lines);
  else
    warnings = std::move(lines);
  return script != nullptr;
}

service::Outcome Managesieve::serve() {
  while (!ended_ && !tls_ && delayed_.empty() && step()) {
  }
  return finish();
}

/// One command; false when there is none to read now.
bool Managesieve::step() {
  goes_on_ = runtime.makes_room(served_++, stream.buffered().size());
  if (goes_on_) return false;
  if (!stream.more_input_buffered()) {
    const auto ready = stream.wait_readable(runtime.linger());
    if (!ready) input_failed(ready.error());
    if (!ready || !*ready) return false;
  }
  const RequestLimits limits{.line = 8 << 10,
                             .literal = runtime.config().size("sieve.max_script_size")};
  answer(read_request(stream, limits));
  return true;
}

void Managesieve::answer(const Result<Request>& request) {
  if (!request) {
    const Errc code = request.error().code;
    if (code == Errc::bad_syntax) return no(request.error());
    if (code == Errc::too_big) return bye("Line or string too long", "QUOTA/MAXSIZE");
    return input_failed(request.error());
  }
  const Command* command = find_command(request->keyword);
  const bool fits =
      command != nullptr && (command->in == Command::In::any ||
                             (command->in == Command::In::after_login) == conn.authenticated());
  if (fits) {
    conn.bad_commands = 0;
    if (request->too_big) return no("The string is too large", "QUOTA/MAXSIZE");
    if (request->arguments.size() > command->most_arguments) return no("Too many arguments");
    return command->run(*this, *request);
  }
  no(command == nullptr ? "Unknown command" : "Not in this state");
  if (++conn.bad_commands >= kMaxBadCommands) bye("Too many bad commands");
}

void Managesieve::input_failed(const Error& error) {
  if (error.code == Errc::unavailable) return bye("Server is shutting down", "TRYLATER");
  end(std::string(name_of(error.code)));
}

service::Outcome Managesieve::finish() {
  service::Outcome outcome;
  // Answers to commands that were sent before the one that is delayed, or before STARTTLS, go
  // first.
  const bool flushed = stream.flush().has_value();
  if (ended_ || !flushed) {
    outcome.ended.reason = ended_.value_or("closed");
    LOG(notice, "sieve.logout", {"conn", facts.session_id}, {"user", conn.who.user.text()},
        {"reason", outcome.ended.reason});
    return outcome;
  }
  if (!tls_) return park();
  outcome.kind = service::Outcome::Kind::start_tls;
  outcome.start_tls = {
      .ok_line = "OK \"Begin TLS negotiation\"\r\n", .alpn = "managesieve", .greet_again = true};
  return outcome;
}

service::Outcome Managesieve::park() {
  service::Outcome outcome;
  outcome.kind = service::Outcome::Kind::parked;
  outcome.parked.state = conn.serialise();
  outcome.parked.unread = stream.take_unread();
  outcome.parked.user = conn.who.user.text();
  outcome.parked.activity = "quiet";
  outcome.parked.autologout = runtime.config().duration("sieve.autologout");
  outcome.parked.goodbye = "BYE \"Idle for too long\"\r\n";
  outcome.parked.not_before = delay_;
  outcome.parked.delayed_reply = delayed_;
  outcome.parked.goes_on = goes_on_;
  return outcome;
}

}  // namespace postern::managesieved
