#include "pop3d/session.h"

#include <algorithm>

#include "lib/base/text.h"
#include "lib/log/log.h"
#include "lib/net/trace.h"
#include "lib/service/login.h"
#include "lib/service/settings.h"
#include "pop3d/command/table.h"
#include "pop3d/reply.h"

namespace postern::pop3d {
namespace {

// RFC 2449 §4: 255 octets with CRLF; AUTH lines may be longer (RFC 5034 §4), and UTF8 names are.
constexpr std::size_t kMaxLine = 16 << 10;
constexpr std::uint32_t kMaxBadCommands = 10;

bool is_ours(Errc code) {
  return code == Errc::io || code == Errc::corrupt || code == Errc::unavailable;
}

}  // namespace

Pop3::Pop3(Worker& w, service::Runtime& r, service::Session session)
    : stream(std::move(session.stream), session.unread,
             service::stream_limits(r.config(), session.facts.service)),
      facts(std::move(session.facts)),
      worker(w),
      runtime(r) {
  stream.set_interrupt([this] { return runtime.stopping(); });
  if (session.state.empty()) return;
  auto restored = Connection::restore(session.state);
  if (!restored) {
    LOG(error, "pop3.bad_record", {"conn", facts.session_id}, {"error", restored.error().text});
    end("its parked record is unknown to this version");
    return;
  }
  conn = std::move(*restored);
  begin_trace();
}

// Not before login: passwords are for nobody's eyes.
void Pop3::begin_trace() {
  if (conn.who.user.empty()) return;
  stream.set_trace(net::Trace::begin(worker.trace_directory, conn.who.user.text(), facts.service,
                                     facts.session_id));
}

void Pop3::ok(std::string_view text) {
  stream.write(text.empty() ? "+OK" : "+OK ");
  stream.write(text);
  stream.write("\r\n");
}

void Pop3::err(std::string_view text) {
  stream.write("-ERR ");
  stream.write(text);
  stream.write("\r\n");
}

void Pop3::err(const Error& error) {
  if (is_ours(error.code))
    LOG(error, "pop3.error", {"conn", facts.session_id}, {"user", conn.who.user.text()},
        {"error", error.text});
  stream.write(reply_to(error.code));
}

void Pop3::delay(std::chrono::milliseconds delay, std::string reply) {
  delay_ = delay;
  delayed_ = std::move(reply);
}

auth::Channel Pop3::channel() const {
  auth::Channel channel = service::channel_of(facts, "pop");
  channel.takes_detail = true;
  return channel;
}

bool Pop3::is_deleted(std::uint32_t number) const {
  return std::ranges::binary_search(conn.maildrop.deleted, number);
}

std::optional<store::RecNo> Pop3::message(std::string_view text, std::uint32_t* number) {
  const auto n = parse_u32(text);
  if (!n || *n == 0 || *n > view_->exists() || is_deleted(*n)) {
    err("No such message");
    return std::nullopt;
  }
  if (number != nullptr) *number = *n;
  return view_->at(SeqNum(*n));
}

void Pop3::commit_seen() {
  auto& retrieved = conn.maildrop.retrieved;
  if (retrieved.empty()) return;
  std::vector<store::RecNo> records;
  records.reserve(retrieved.size());
  for (const std::uint32_t n : retrieved) records.push_back(view_->at(SeqNum(n)));
  retrieved.clear();
  store::FlagChange change;
  change.flags.system = store::flag::seen;
  if (const auto stored = mailbox_->store_flags(records, change); !stored)
    LOG(warning, "pop3.seen_lost", {"conn", facts.session_id}, {"error", stored.error().text});
}

/// After a wake: the mailbox and exactly the view that the client knows.
Result<void> Pop3::reopen() {
  if (conn.state != State::transaction) return {};
  const auto entry = TRY(worker.meta->lookup(conn.maildrop.view.mailbox));
  mailbox_ = TRY(worker.store->open_mailbox(entry));
  view_ = TRY(mailbox_->view_at(conn.maildrop.view));
  return {};
}

service::Outcome Pop3::serve() {
  if (!ended_) {
    if (const auto opened = reopen(); !opened) {
      err(opened.error());
      end("its mailbox can't be opened again");
    }
  }
  while (!ended_ && !tls_ && delayed_.empty() && step()) {
  }
  return finish();
}

/// One command; false when there is none to read now.
bool Pop3::step() {
  goes_on_ = runtime.makes_room(served_++, stream.buffered().size());
  if (goes_on_) return false;
  if (!stream.more_input_buffered()) {
    // A client puts each message away before it goes on, and to open the maildrop again costs more
    // than to wait for that. Nothing is waited for when others need the worker: linger() is 0 then.
    net::Patience patience = runtime.linger();
    if (conn.state == State::transaction) patience.wait *= 10;
    const auto ready = stream.wait_readable(patience);
    if (!ready) {
      input_failed(ready.error());
      return false;
    }
    if (!*ready) return false;
  }
  const auto line = stream.read_line(kMaxLine);
  if (line) {
    run_line(line->text);
  } else if (line.error().code == Errc::too_big) {
    err(line.error());
    end("line too long");
  } else {
    input_failed(line.error());
  }
  return true;
}

void Pop3::input_failed(const Error& error) {
  if (error.code == Errc::unavailable) err("[SYS/TEMP] Server is shutting down");
  end(std::string(name_of(error.code)));
}

void Pop3::run_line(std::string_view line) {
  const auto space = line.find(' ');
  const std::string keyword = to_upper(line.substr(0, space));
  const bool has_argument = space != std::string_view::npos;
  const std::string argument(has_argument ? line.substr(space + 1) : std::string_view{});
  const Command* command = find_command(keyword);
  if (command == nullptr || (command->in != In::any && command->in != in(conn.state))) {
    err(command == nullptr ? "Unknown command" : "Not in this state");
    if (++conn.bad_commands >= kMaxBadCommands) end("too many bad commands");
    return;
  }
  conn.bad_commands = 0;
  command->run(*this, Argument{argument, has_argument});
}

service::Outcome Pop3::finish() {
  service::Outcome outcome;
  if (view_) commit_seen();
  // Answers to commands that were sent before the one that is delayed, or before STLS, go first.
  const bool flushed = stream.flush().has_value();
  if (ended_ || !flushed) {
    outcome.ended.reason = ended_.value_or("closed");
    LOG(notice, "pop3.logout", {"conn", facts.session_id}, {"user", conn.who.user.text()},
        {"reason", outcome.ended.reason}, {"in", stream.counters().in},
        {"out", stream.counters().out});
    return outcome;
  }
  if (!tls_) return park();
  outcome.kind = service::Outcome::Kind::start_tls;
  outcome.start_tls = {.ok_line = "+OK Begin TLS negotiation\r\n", .alpn = "pop3"};
  return outcome;
}

service::Outcome Pop3::park() {
  const bool in_mailbox = conn.state == State::transaction;
  service::Outcome outcome;
  outcome.kind = service::Outcome::Kind::parked;
  outcome.parked.state = conn.serialise();
  outcome.parked.unread = stream.take_unread();
  outcome.parked.user = conn.who.user.text();
  outcome.parked.mailbox = in_mailbox ? conn.maildrop.name.text() : "";
  outcome.parked.activity = "quiet";
  // RFC 1939 §3: at least ten minutes; the end comes without a word, and nothing is deleted.
  outcome.parked.autologout = runtime.config().duration("pop3.autologout");
  outcome.parked.not_before = delay_;
  outcome.parked.delayed_reply = delayed_;
  outcome.parked.goes_on = goes_on_;
  return outcome;
}

}  // namespace postern::pop3d
