// The life of a session between two parkings: resume, commands one after the other, and at a quiet
// boundary the record for porter. See lib/service/daemon.h.
#include "imapd/session.h"

#include <algorithm>

#include "imapd/command/table.h"
#include "imapd/event_run.h"
#include "imapd/login.h"
#include "imapd/response_code.h"
#include "imapd/tell.h"
#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/log/log.h"
#include "lib/service/settings.h"

namespace postern::imap {
namespace {

using State = Connection::State;
using std::chrono::milliseconds;

// Before login a client has no need of more, and costs no more (RFC 7888 §5).
constexpr std::size_t kTextBeforeLogin = 8 << 10;

bool legal(In in, State state) {
  switch (in) {
    case In::any:
      return true;
    case In::not_authenticated:
      return state == State::not_authenticated;
    case In::authenticated:
      return state != State::not_authenticated;
    case In::selected:
      return state == State::selected;
  }
  return false;
}

std::string_view why_illegal(In in) {
  switch (in) {
    case In::not_authenticated:
      return "You are logged in already";
    case In::selected:
      return "Select a mailbox first";
    default:
      return "Log in first";
  }
}

// The command's name as the table has it: "FETCH", "UID FETCH".
Result<std::string> parse_command_name(Cursor& in) {
  TRY(in.space());
  std::string name = to_upper(TRY(parse_atom(in)));
  if (name != "UID") return name;
  TRY(in.space());
  return "UID " + to_upper(TRY(parse_atom(in)));
}

}  // namespace

Session::Session(service::Session wake, service::Runtime& runtime, const Backend& backend)
    : wake_(std::move(wake)),
      runtime_(runtime),
      back_(backend),
      stream_(std::move(wake_.stream), wake_.unread,
              service::stream_limits(runtime.config(), wake_.facts.service)),
      out_(stream_),
      ctx_(conn_, out_, back_, wake_.facts, runtime_) {
  stream_.set_interrupt([this] { return runtime_.stopping(); });
}

service::Outcome Session::serve() {
  Step step = resume(wake_.state);
  while (!step) {
    if (wake_.shutting_down || runtime_.stopping())
      return bye("[UNAVAILABLE] The server is going down", "shutdown");
    step = at_boundary();
    if (!step) step = serve_command();
  }
  return std::move(*step);
}

Session::Step Session::resume(std::string_view record) {
  if (record.empty()) return std::nullopt;
  auto restored = Connection::restore(record);
  if (!restored) {
    LOG(error, "imap.record", {"conn", wake_.facts.session_id}, {"error", restored.error().text});
    return bye("[UNAVAILABLE] The session can't be continued, connect again", "record");
  }
  conn_ = std::move(*restored);
  if (conn_.state != State::not_authenticated) ctx_.begin_user();
  if (!wake_.changed && conn_.state != State::not_authenticated &&
      !back_.lately.same_generation(conn_.who.user, conn_.user_generation))
    return bye("[UNAVAILABLE] The account has changed, log in again", "generation");
  if (!conn_.selected) return std::nullopt;
  auto selected = reopen_selected(ctx_);
  if (!selected) return selected_lost(selected.error());
  ctx_.selected = std::move(*selected);
  return std::nullopt;
}

// RFC 2180 §3.3: for IMAP4rev1 a BYE is the only safe word when the mailbox has gone.
Session::Step Session::selected_lost(const Error& error) {
  LOG(notice, "imap.selected_lost", {"conn", wake_.facts.session_id},
      {"user", conn_.who.user.text()}, {"errc", name_of(error.code)}, {"error", error.text});
  if (error.code == Errc::mailbox_deleted)
    return bye("The selected mailbox was deleted", "mailbox_deleted");
  return bye("[UNAVAILABLE] The selected mailbox can't be shown, connect again",
             name_of(error.code));
}

bool Session::has_line() const { return stream_.buffered().find('\n') != std::string_view::npos; }

// Between two commands: go on if the client has sent one, unless others wait for long; linger a
// little, else park.
Session::Step Session::at_boundary() {
  if (conn_.in_idle()) return idle_boundary();
  if (runtime_.makes_room(served_, stream_.buffered().size())) {
    service::Outcome outcome = park();
    outcome.parked.goes_on = true;
    return outcome;
  }
  while (!has_line()) {
    const auto ready = stream_.wait_readable(runtime_.linger());
    if (!ready) return read_failed(ready.error());
    if (!*ready) return park_at_boundary();
    if (const auto filled = stream_.fill(); !filled) return read_failed(filled.error());
  }
  return std::nullopt;
}

// IDLE (RFC 2177): tells, then waits for DONE, which may stand before pipelined commands.
Session::Step Session::idle_boundary() {
  while (true) {
    if (const auto told = ctx_.selected ? tell_changes(ctx_, true) : Result<void>{}; !told)
      return selected_lost(told.error());
    if (has_line()) break;
    const auto ready = stream_.wait_readable({});
    if (!ready) return read_failed(ready.error());
    if (!*ready) return park_at_boundary();
    if (const auto filled = stream_.fill(); !filled) return read_failed(filled.error());
  }
  const auto line = stream_.read_line(kTextBeforeLogin);
  if (!line) return read_failed(line.error());
  const bool done = iequals(line->text, "DONE");
  tag_ = std::exchange(conn_.idle_tag, {});
  if (done)
    out_.tagged(tag_, "OK", "IDLE completed");
  else
    out_.tagged(tag_, "BAD", "IDLE ends with DONE");
  return done ? std::nullopt : count_mistake();
}

FrameLimits Session::frame_limits() const {
  FrameLimits limits;
  limits.text = conn_.state == State::not_authenticated
                    ? std::min(kTextBeforeLogin, back_.options.max_command)
                    : back_.options.max_command;
  limits.swallow =
      conn_.state == State::not_authenticated ? kTextBeforeLogin : 2 * back_.options.append_limit;
  return limits;
}

LiteralVerdict Session::judge_literal(std::string_view text, const LiteralHead& head) {
  if (conn_.state == State::not_authenticated) return {};
  Cursor in(text, conn_.name_form());
  if (!parse_tag(in)) return {};
  const auto name = parse_command_name(in);
  const Command* command = name ? find_command(*name) : nullptr;
  if (command == nullptr || command->literal == nullptr || !legal(command->state, conn_.state))
    return {};
  return command->literal(ctx_, in, head);
}

Session::Step Session::serve_command() {
  ctx_.staged.clear();
  const auto framed = read_command(
      stream_, frame_limits(),
      [this](std::string_view text, const LiteralHead& head) { return judge_literal(text, head); });
  if (!framed) return read_failed(framed.error());
  ++conn_.commands;
  ++served_;
  Step step = handle(*framed);
  ctx_.staged.clear();
  back_.store.flush_due();
  return step;
}

Session::Step Session::handle(const Framed& framed) {
  Cursor in(framed.text, conn_.name_form(), framed.held);
  const auto tag = parse_tag(in);
  if (!tag || (in.peek() != ' ' && in.peek() != -1)) {
    out_.untagged("BAD A command begins with a tag and a space");
    return count_mistake();
  }
  tag_ = std::string(*tag);
  ctx_.tag = tag_;
  if (framed.refused) return finish(nullptr, failed(ctx_, *framed.refused));
  return handle_tagged(framed, in);
}

Session::Step Session::handle_tagged(const Framed&, Cursor& in) {
  const auto name = parse_command_name(in);
  if (!name) return finish(nullptr, {Completion::Kind::bad, name.error().text, {}});
  const Command* command = find_command(*name);
  if (command == nullptr) return finish(nullptr, {Completion::Kind::bad, "Unknown command", {}});
  if (!legal(command->state, conn_.state))
    return finish(command, {Completion::Kind::bad, std::string(why_illegal(command->state)), {}});
  if (ctx_.selected) ctx_.selected->own_change = ModSeq(0);
  Completion completion = command->run(ctx_, in);
  run_events(ctx_);
  return finish(command, completion);
}

// Tells what changed, if this is the moment, then the tagged reply.
Session::Step Session::finish(const Command* command, const Completion& completion) {
  using Kind = Completion::Kind;
  const bool goes_on =
      completion.kind == Kind::ok || completion.kind == Kind::no || completion.kind == Kind::bad;
  if (goes_on && ctx_.selected) {
    const bool expunges = command != nullptr && command->expunges == Expunges::tell;
    if (const auto told = tell_changes(ctx_, expunges); !told) return selected_lost(told.error());
  }
  return reply(command == nullptr ? "" : command->name, completion);
}

Session::Step Session::reply(std::string_view name, const Completion& completion) {
  using Kind = Completion::Kind;
  const std::string text =
      completion.text.empty() ? fmt::format("{} completed", name) : completion.text;
  switch (completion.kind) {
    case Kind::ok:
      out_.tagged(tag_, "OK", text);
      if (conn_.state != State::not_authenticated) conn_.bad_commands = 0;
      return std::nullopt;
    case Kind::no:
      if (completion.delay.count() == 0) {
        out_.tagged(tag_, "NO", text);
        return std::nullopt;
      }
      {
        service::Outcome outcome = park();
        outcome.parked.not_before = completion.delay;
        outcome.parked.delayed_reply = out_.tagged_line(tag_, "NO", text);
        return outcome;
      }
    case Kind::bad:
      out_.tagged(tag_, "BAD", text);
      return count_mistake();
    case Kind::idle:
      return std::nullopt;
    case Kind::logout:
      out_.bye("Goodbye");
      out_.tagged(tag_, "OK", text);
      return end("logout");
    case Kind::start_tls:
      return start_tls();
    case Kind::compress:
      return compress();
    case Kind::bye:
      return bye(text, "bye");
    case Kind::closed:
      return end("closed by peer");
  }
  return std::nullopt;
}

Session::Step Session::count_mistake() {
  if (++conn_.bad_commands < back_.options.bad_command_limit) return std::nullopt;
  return bye("Too many mistakes", "bad_commands");
}

// Plaintext that was pipelined behind STARTTLS must never be taken as sent under TLS.
Session::Step Session::start_tls() {
  if (stream_.more_input_buffered()) {
    out_.tagged(tag_, "BAD", "Nothing may follow STARTTLS before the handshake");
    return end("starttls_pipelined");
  }
  if (const auto flushed = stream_.flush(); !flushed) return end("closed by peer");
  service::Outcome outcome;
  outcome.kind = service::Outcome::Kind::start_tls;
  outcome.start_tls.alpn = "imap";
  outcome.start_tls.ok_line = out_.tagged_line(tag_, "OK", "Begin the TLS handshake");
  return outcome;
}

// The session goes on where it is; transportd compresses what goes by (RFC 4978 §3). Octets behind
// the command are taken as compressed: a client may not send a plain command there.
Session::Step Session::compress() {
  service::Outcome outcome = park();
  if (outcome.kind != service::Outcome::Kind::parked) return outcome;
  outcome.kind = service::Outcome::Kind::compress;
  outcome.compress.ok_line = out_.tagged_line(tag_, "OK", "DEFLATE active");
  outcome.compress.no_line =
      out_.tagged_line(tag_, "NO", "[UNAVAILABLE] Compression is not available now");
  return outcome;
}

Session::Step Session::read_failed(const Error& error) {
  switch (error.code) {
    case Errc::closed:
      return end("closed by peer");
    case Errc::timed_out:
      return bye("Autologout; the command was not finished in time", "timeout");
    case Errc::limit:
      return bye("[TOOBIG] The literal is far beyond the limit", "limit");
    case Errc::too_big:
      return bye("[TOOBIG] The line is too long", "limit");
    case Errc::unavailable:
      return bye("[UNAVAILABLE] The server is going down", "shutdown");
    default:
      return end(name_of(error.code));
  }
}

service::Outcome Session::park() {
  if (const auto flushed = stream_.flush(); !flushed) return end("closed by peer");
  conn_.octets_in += stream_.counters().in;
  conn_.octets_out += stream_.counters().out;
  service::Outcome outcome;
  outcome.kind = service::Outcome::Kind::parked;
  service::Parked& parked = outcome.parked;
  parked.state = conn_.serialise();
  parked.unread = stream_.take_unread();
  parked.user = conn_.who.user.text();
  parked.activity = conn_.in_idle() ? "IDLE" : "quiet";
  const bool known = conn_.state != State::not_authenticated;
  parked.autologout =
      known ? back_.options.autologout
            : runtime_.config().duration("service." + wake_.facts.service + ".login_timeout");
  parked.goodbye = "* BYE Autologout; idle for too long\r\n";
  if (ctx_.selected) parked.mailbox = ctx_.selected->entry.name.text();
  if (!conn_.in_idle()) return outcome;
  parked.keepalive = back_.options.idle_keepalive;
  parked.keepalive_text = "* OK Still here\r\n";
  if (ctx_.selected) {
    const store::Mailbox& mailbox = *ctx_.selected->mailbox;
    parked.watches.push_back({mailbox.board_slot(), mailbox.board_value()});
  }
  return outcome;
}

/// Parked with half a line the client has as long as with half a literal to go on.
service::Outcome Session::park_at_boundary() {
  const bool begun = stream_.more_input_buffered();
  service::Outcome outcome = park();
  if (!begun || outcome.kind != service::Outcome::Kind::parked) return outcome;
  outcome.parked.autologout = std::min(outcome.parked.autologout, stream_.limits().read);
  outcome.parked.goodbye = "* BYE Autologout; the command was not finished in time\r\n";
  return outcome;
}

service::Outcome Session::end(std::string_view reason) {
  static_cast<void>(stream_.flush());
  LOG(notice, "imap.logout", {"conn", wake_.facts.session_id}, {"user", conn_.who.user.text()},
      {"reason", reason}, {"commands", conn_.commands},
      {"in", conn_.octets_in + stream_.counters().in},
      {"out", conn_.octets_out + stream_.counters().out}, {"client", conn_.client_id});
  service::Outcome outcome;
  outcome.kind = service::Outcome::Kind::ended;
  outcome.ended.reason = reason;
  return outcome;
}

service::Outcome Session::bye(std::string_view text, std::string_view reason) {
  out_.bye(text);
  return end(reason);
}

}  // namespace postern::imap
