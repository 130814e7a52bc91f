#include "lmtpd/session.h"

#include <fmt/format.h>

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/log/log.h"
#include "lib/net/trace.h"
#include "lib/service/settings.h"
#include "lmtpd/command/table.h"
#include "lmtpd/deliver.h"
#include "lmtpd/trace_fields.h"

namespace postern::lmtp {
namespace {

using std::chrono::milliseconds;

// RFC 5321 §4.5.3.1.4 asks for 512; the extensions add up to about 2,000 (RFC 3461 §4, RFC 6531).
constexpr std::size_t kMaxLine = 4096;
constexpr std::uint32_t kMaxMistakes = 50;

service::Outcome ended(std::string reason) {
  service::Outcome out;
  out.kind = service::Outcome::Kind::ended;
  out.ended.reason = std::move(reason);
  return out;
}

const Reply kGoingDown{421, "4.3.2", "The server is going down"};

}  // namespace

Session::Session(service::Session wake, service::Runtime& rt, const Backend& backend)
    : stream(std::move(wake.stream), wake.unread,
             {backend.options.idle_timeout,
              service::stream_limits(rt.config(), wake.facts.service).write}),
      facts(std::move(wake.facts)),
      runtime(rt),
      back(backend),
      record_(std::move(wake.state)),
      shutting_down_(wake.shutting_down) {
  stream.set_interrupt([this] { return runtime.stopping(); });
  stream.set_trace(
      net::Trace::begin(back.options.trace_directory, {}, facts.service, facts.session_id));
}

service::Outcome Session::serve() {
  Flow flow = resume(record_);
  while (!flow) {
    if ((shutting_down_ || runtime.stopping()) && !txn) return *end(kGoingDown, "shutdown");
    flow = at_boundary();
    if (!flow) flow = serve_command();
  }
  return std::move(*flow);
}

Flow Session::resume(std::string_view record) {
  if (record.empty()) return std::nullopt;
  auto restored = Connection::restore(record);
  if (!restored) {
    LOG(error, "lmtp.record", {"conn", facts.session_id}, {"error", restored.error().text});
    return end({421, "4.3.0", "The session can't be continued, connect again"}, "record");
  }
  conn = std::move(*restored);
  return std::nullopt;
}

/// Between two commands. Without a transaction and without a whole line of input the session is
/// parked; with one it keeps its worker.
Flow Session::at_boundary() {
  if (!txn && runtime.makes_room(served_, stream.buffered().size())) {
    service::Outcome out = park();
    out.parked.goes_on = true;
    return out;
  }
  while (!txn && stream.buffered().find('\n') == std::string_view::npos) {
    const auto ready = stream.wait_readable(runtime.linger());
    if (!ready) return broken(ready.error());
    if (!*ready) return park();
    if (const auto filled = stream.fill(); !filled) return broken(filled.error());
  }
  return std::nullopt;
}

service::Outcome Session::park() {
  service::Outcome out;
  out.kind = service::Outcome::Kind::parked;
  out.parked.state = conn.record();
  out.parked.unread = stream.take_unread();
  out.parked.activity = "quiet";
  out.parked.autologout = back.options.idle_timeout;
  out.parked.goodbye = Reply{421, "4.4.2", "Nothing heard for too long"}.line();
  return out;
}

Flow Session::park_with(const Reply& reply, milliseconds delay) {
  if (const auto flushed = stream.flush(); !flushed) return broken(flushed.error());
  service::Outcome out = park();
  out.parked.not_before = delay;
  out.parked.delayed_reply = reply.line();
  return out;
}

Flow Session::serve_command() {
  ++served_;
  const auto line = stream.read_line(kMaxLine);
  if (line) return run_command(*this, line->text);
  if (line.error().code != Errc::too_big) return broken(line.error());
  if (const auto skipped = stream.skip_line(); !skipped) return broken(skipped.error());
  return mistake({500, "5.5.2", "Line too long"});
}

Flow Session::mistake(const Reply& reply) {
  if (++conn.mistakes >= kMaxMistakes)
    return end({421, "4.7.0", "Too many mistakes"}, "too many mistakes");
  LOG(notice, "lmtp.mistake", {"conn", facts.session_id}, {"reply", reply.text});
  say(reply);
  return std::nullopt;
}

Flow Session::broken(const Error& error) {
  switch (error.code) {
    case Errc::timed_out:
      return end({421, "4.4.2", "Nothing heard for too long"}, "timeout");
    case Errc::unavailable:
      return end(kGoingDown, "shutdown");
    default:
      if (txn)
        LOG(notice, "lmtp.broken", {"conn", facts.session_id}, {"txn", txn->id},
            {"error", error.text});
      return ended(error.code == Errc::closed ? "closed by peer" : error.text);
  }
}

Flow Session::end(const Reply& reply, std::string reason) {
  say(reply);
  [[maybe_unused]] const auto flushed = stream.flush();  // the connection ends either way
  return ended(std::move(reason));
}

void Session::begin_transaction(Sender sender) {
  txn.emplace();
  txn->id = fmt::format("{:x}.{}", facts.session_id, ++conn.transactions);
  txn->sender = std::move(sender);
}

std::unique_ptr<Receiver> Session::make_receiver() const {
  TraceFacts trace;
  if (txn->sender.address) trace.return_path = txn->sender.address->raw;
  trace.client = conn.lhlo_name;
  trace.peer = facts.peer_address;
  trace.host = back.options.hostname;
  trace.id = txn->id;
  trace.smtputf8 = txn->sender.smtputf8;
  trace.authenticated = !conn.authenticated.empty();
  trace.tls = facts.tls;
  if (txn->recipients.size() == 1) trace.recipient = txn->recipients.front().address.raw;
  trace.now = wall_seconds();
  return std::make_unique<Receiver>(
      back.store.stage(), trace_fields(trace),
      ReceiveRules{back.options.max_message, txn->sender.body == Body::binary});
}

void Session::finish_transaction() {
  Receiver& text = *txn->text;
  if (text.refusal()) {
    LOG(notice, "message.refuse", {"conn", facts.session_id}, {"txn", txn->id},
        {"size", text.size()}, {"error", text.problem()}, {"reply", text.refusal()->text});
    for (std::size_t i = 0; i < txn->recipients.size(); ++i) say(*text.refusal());
  } else {
    const auto report = deliver(back, facts.session_id, sender_identity(), *txn, text);
    for (const Reply& reply : report.replies) say(reply);
    conn.delivered += report.delivered;
  }
  txn.reset();
}

meta::Identity Session::sender_identity() const {
  if (!conn.authenticated.empty())
    if (const auto user = meta::UserName::from_utf8(conn.authenticated))
      return back.auth.identity_of(*user);
  meta::Identity nobody;
  nobody.anonymous = true;
  return nobody;
}

}  // namespace postern::lmtp
