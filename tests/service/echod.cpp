// A daemon with a tiny line protocol for the tests of the runtime: what it counts and remembers
// lives in the parked state, so a lost or doubled hand-over shows at once.
//
//   LOGIN user | WRONG user | ECHO text | COUNT | PID | WATCH n | BUMP n | GROW bytes | LEAK bytes
//   | SLEEP ms | CRASH | TIMEOUT ms | KEEPALIVE ms | QUIT
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/text.h"
#include "lib/base/wire.h"
#include "lib/net/stream.h"
#include "lib/service/daemon.h"
#include "lib/service/settings.h"

namespace postern {
namespace {

using service::Outcome;
using service::Session;

/// Everything that outlives a line.
struct State {
  std::uint64_t lines = 0;
  std::string user;
  std::string padding;
  std::uint32_t watched = 0;  // slot + 1; 0: none
  std::uint64_t seen = 0;
  std::int64_t timeout = 0;
  std::int64_t keepalive = 0;

  static State parse(std::string_view record) {
    State out;
    if (record.empty()) return out;
    WireReader in(record);
    out.lines = in.take<std::uint64_t>().value();
    out.user = in.take_bytes().value();
    out.padding = in.take_bytes().value();
    out.watched = in.take<std::uint32_t>().value();
    out.seen = in.take<std::uint64_t>().value();
    out.timeout = in.take<std::int64_t>().value();
    out.keepalive = in.take<std::int64_t>().value();
    return out;
  }
  [[nodiscard]] std::string text() const {
    WireWriter out;
    out.put(lines);
    out.put_bytes(user);
    out.put_bytes(padding);
    out.put(watched);
    out.put(seen);
    out.put(timeout);
    out.put(keepalive);
    return std::move(out).bytes();
  }
};

class Echo final : public service::Daemon {
 public:
  [[nodiscard]] std::string_view name() const override { return "echod"; }
  std::string greeting(const config::Config&, bool, bool loopback) override {
    return loopback ? "* hello loopback\r\n" : "* hello\r\n";
  }
  std::string goodbye(service::Goodbye why) override {
    static constexpr std::string_view kTexts[] = {"shutting down", "internal error",
                                                  "login timeout", "too many", "kicked"};
    return fmt::format("* BYE {}\r\n", kTexts[static_cast<std::size_t>(why)]);
  }
  Result<void> prepare(const config::Config&) override { return {}; }
  Result<void> start_worker(service::Runtime&) override { return {}; }

  Outcome serve(Session session, service::Runtime& runtime) override {
    State state = State::parse(session.state);
    net::Stream stream(std::move(session.stream), session.unread,
                       service::stream_limits(runtime.config(), session.facts.service));
    stream.set_interrupt([&] { return runtime.stopping(); });
    if (state.watched != 0) tell_change(state, stream, runtime);
    for (std::uint32_t served = 0;; ++served) {
      if (runtime.makes_room(served, stream.buffered().size())) {
        Outcome out = park(state, stream, runtime);
        out.parked.goes_on = true;
        return out;
      }
      if (!stream.more_input_buffered()) {
        const auto more = stream.wait_readable(runtime.linger());
        if (!more && more.error().code != Errc::unavailable) return ended("closed");
        if (!more || !*more) return park(state, stream, runtime);
      }
      const auto line = stream.read_line(1000);
      if (!line && line.error().code == Errc::unavailable) return park(state, stream, runtime);
      if (!line) return ended(std::string(name_of(line.error().code)));
      auto outcome = obey(std::string(line->text), state, stream, runtime);
      if (outcome) return std::move(*outcome);
    }
  }

 private:
  static Outcome ended(std::string reason) {
    Outcome out;
    out.ended.reason = std::move(reason);
    return out;
  }

  static void tell_change(State& state, net::Stream& stream, service::Runtime& runtime) {
    const std::uint64_t now = runtime.board().value(state.watched - 1);
    if (now != state.seen) stream.write(fmt::format("CHANGED {}\r\n", now));
    state.seen = now;
  }

  static Outcome park(const State& state, net::Stream& stream, service::Runtime& runtime) {
    if (!stream.flush()) return ended("closed");
    Outcome out;
    out.kind = Outcome::Kind::parked;
    out.parked.state = state.text();
    out.parked.unread = stream.take_unread();
    out.parked.user = state.user;
    out.parked.activity = state.watched != 0 ? "watch" : "quiet";
    out.parked.mailbox = "box";
    if (state.watched != 0) out.parked.watches.push_back({state.watched - 1, state.seen});
    out.parked.autologout = std::chrono::milliseconds(state.timeout);
    out.parked.goodbye = "* BYE timeout\r\n";
    out.parked.keepalive = std::chrono::milliseconds(state.keepalive);
    out.parked.keepalive_text = "* still here\r\n";
    static_cast<void>(runtime);
    return out;
  }

  /// Memory that this process keeps.
  static std::vector<std::string>& leaked() {
    static std::vector<std::string> all;
    return all;
  }

  static std::optional<Outcome> obey(const std::string& line, State& state, net::Stream& stream,
                                     service::Runtime& runtime) {
    ++state.lines;
    const auto space = line.find(' ');
    const std::string verb = line.substr(0, space);
    const std::string rest = space == std::string::npos ? "" : line.substr(space + 1);
    const std::uint64_t number = parse_u64(rest).value_or(0);
    if (verb == "ECHO")
      stream.write(rest + "\r\n");
    else if (verb == "COUNT")
      stream.write(fmt::format("{}\r\n", state.lines));
    else if (verb == "PID")
      stream.write(fmt::format("{}\r\n", getpid()));
    else if (verb == "LOGIN")
      login(rest, state, stream, runtime);
    else if (verb == "WATCH")
      watch(number, state, stream, runtime);
    else if (verb == "BUMP")
      bump(number, stream, runtime);
    else if (verb == "GROW")
      stream.write((state.padding.assign(number, 'x'), "grown\r\n"));
    else if (verb == "LEAK")
      stream.write((leaked().emplace_back(number, 'x'), "leaked\r\n"));
    else if (verb == "TIMEOUT")
      stream.write((state.timeout = static_cast<std::int64_t>(number), "ok\r\n"));
    else if (verb == "KEEPALIVE")
      stream.write((state.keepalive = static_cast<std::int64_t>(number), "ok\r\n"));
    else if (verb == "CRASH")
      ::kill(getpid(), SIGKILL);
    else if (verb == "WRONG")
      return refuse(rest, state, stream, runtime);
    else if (verb == "SLEEP")
      sleep_for(number, stream);
    else if (verb == "QUIT")
      return quit(stream);
    else
      stream.write("what?\r\n");
    return std::nullopt;
  }

  static void login(const std::string& user, State& state, net::Stream& stream,
                    service::Runtime& runtime) {
    const auto accepted = runtime.logged_in(user);
    if (accepted) state.user = user;
    stream.write(accepted ? "ok\r\n" : "no\r\n");
  }
  static void watch(std::uint64_t slot, State& state, net::Stream& stream,
                    service::Runtime& runtime) {
    state.watched = static_cast<std::uint32_t>(slot) + 1;
    state.seen = runtime.board().value(static_cast<std::uint32_t>(slot));
    stream.write("watching\r\n");
  }
  static void bump(std::uint64_t slot, net::Stream& stream, service::Runtime& runtime) {
    runtime.board().bump(static_cast<std::uint32_t>(slot), ModSeq{1});
    stream.write("bumped\r\n");
  }
  static void sleep_for(std::uint64_t millis, net::Stream& stream) {
    const timespec time{static_cast<time_t>(millis / 1000),
                        static_cast<long>(millis % 1000) * 1'000'000};
    stream.write("sleeping\r\n");
    static_cast<void>(stream.flush());  // so that the test knows it
    nanosleep(&time, nullptr);
    stream.write("slept\r\n");
  }
  static Outcome quit(net::Stream& stream) {
    stream.write("bye\r\n");
    static_cast<void>(stream.flush());
    return ended("quit");
  }
  static Outcome refuse(const std::string& user, const State& state, net::Stream& stream,
                        service::Runtime& runtime) {
    Outcome out = park(state, stream, runtime);
    out.parked.not_before = runtime.login_failed(user);
    out.parked.delayed_reply = fmt::format("wrong {}\r\n", out.parked.not_before.count());
    return out;
  }
};

}  // namespace
}  // namespace postern

int main(int argc, char** argv) {
  postern::Echo echo;
  return postern::service::run(echo, argc, argv);
}
