// postern who, postern kick: the sessions of a running server, from its scoreboard.
#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lib/base/clock.h"
#include "lib/service/scoreboard.h"
#include "tools/command/commands.h"

namespace postern::tools {
namespace {

using service::SessionRow;
using service::SessionState;

std::string_view state_name(SessionState state) {
  switch (state) {
    case SessionState::free:
      return "free";
    case SessionState::greeting:
      return "greeting";
    case SessionState::quiet:
      return "parked";
    case SessionState::out:
      return "active";
    case SessionState::closing:
      return "closing";
  }
  return "";
}

std::string address_of(const SessionRow& row) {
  if ((row.flags & SessionRow::kLocal) != 0) return "local";
  char text[INET6_ADDRSTRLEN] = "";
  in6_addr address{};
  std::copy(row.peer.begin(), row.peer.end(), std::begin(address.s6_addr));
  if (IN6_IS_ADDR_V4MAPPED(&address)) {
    ::inet_ntop(AF_INET, &address.s6_addr[12], text, sizeof text);
    return fmt::format("{}:{}", text, row.peer_port);
  }
  ::inet_ntop(AF_INET6, &address, text, sizeof text);
  return fmt::format("[{}]:{}", text, row.peer_port);
}

struct Shown {
  std::uint64_t id = 0;
  std::string service, user, address, mailbox, activity, state;
  std::int64_t seconds = 0;  // in this state
  std::int64_t since = 0;    // seconds UTC, the connection's begin
  std::string tls;
  bool compressed = false;
};

Shown shown(const service::Scoreboard& board, const SessionRow& row, SessionState state) {
  Shown out;
  out.id = row.id;
  if (row.service < service::kMaxServices)
    out.service = board.head().services[row.service].name.view();
  out.user = row.user.view();
  out.address = address_of(row);
  out.mailbox = row.mailbox.view();
  out.activity = row.activity.view();
  out.state = state_name(state);
  out.seconds = std::max<std::int64_t>(0, (steady_millis() - row.since) / 1000);
  out.since = row.accepted_at;
  out.tls = row.tls.view();
  out.compressed = (row.flags & SessionRow::kCompressed) != 0;
  return out;
}

void print(const Shown& s, bool json) {
  if (json) {
    const nlohmann::json row{{"session", s.id},
                             {"service", s.service},
                             {"user", s.user},
                             {"address", s.address},
                             {"tls", s.tls},
                             {"compressed", s.compressed},
                             {"mailbox", s.mailbox},
                             {"state", s.state},
                             {"activity", s.activity},
                             {"since", s.since},
                             {"seconds_in_state", s.seconds}};
    fmt::print("{}\n", row.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return;
  }
  fmt::print("{:<8} {:<10} {:<24} {:<24} {:<8} {:<8} {:>7}s  {} {}\n", s.id, s.service,
             s.user.empty() ? "-" : s.user, s.address, s.tls.substr(0, s.tls.find(' ')), s.state,
             s.seconds, s.mailbox, s.activity);
}

Result<service::Scoreboard> scoreboard(Context& context) {
  auto answer = TRY(context.ask_master("who"));
  if (answer.descriptors.empty()) return fail(Errc::unavailable, "master: {}", answer.text);
  return service::Scoreboard::attach(std::move(answer.descriptors.front()), false, false);
}

}  // namespace

Result<int> who(const Arguments& arguments, Context& context) {
  const auto board = TRY(scoreboard(context));
  const std::string& only = arguments.text("user");
  const bool json = arguments.has("--json");
  if (!json)
    fmt::print("{:<8} {:<10} {:<24} {:<24} {:<8} {:<8} {:>8}  {}\n", "session", "service", "user",
               "address", "TLS", "state", "for", "mailbox, activity");
  for (const auto& row : board.used_sessions()) {
    const SessionState state = row.state.load(std::memory_order_acquire);
    if (state == SessionState::free) continue;
    if (only.empty() || row.user.view() == only) print(shown(board, row, state), json);
  }
  return 0;
}

Result<int> kick(const Arguments& arguments, Context& context) {
  const std::string& user = arguments.text("user");
  const auto board = TRY(scoreboard(context));
  const auto sessions = std::ranges::count_if(board.used_sessions(), [&](const auto& row) {
    return row.state.load(std::memory_order_acquire) != SessionState::free &&
           row.user.view() == user;
  });
  const auto answer = TRY(context.ask_master("kick " + user));
  if (answer.text != "ok") return fail(Errc::unavailable, "master: {}", answer.text);
  // No error: that none is left is what was asked for.
  if (sessions == 0) fmt::print("{} has no session\n", user);
  if (sessions > 0) fmt::print("{} session{} ended\n", sessions, sessions == 1 ? "" : "s");
  return 0;
}

}  // namespace postern::tools
