// posternadm: the session itself (server, authenticate, disconnect, version, help, exit).
#include <fmt/format.h>

#include "lib/base/text.h"
#include "tools/adm/commands.h"
#include "tools/adm/server_name.h"

namespace postern::tools {

Result<void> AdmSession::connect(std::string_view server, std::uint16_t default_port) {
  client_.reset();
  Result<void> done = fail(Errc::unavailable, "{} has no address", server);
  for (const net::Endpoint& address : TRY(find_server(server, default_port))) {
    auto client = ImapClient::connect(address);
    if (!client) {
      done = client.error();
      continue;
    }
    client_ = std::move(*client);
    server_ = address.text();
    return {};
  }
  return done;
}

Result<void> AdmSession::login(std::string_view user, const auth::Secret& password) {
  if (!client_) return fail(Errc::unavailable, "not connected: server HOST[:PORT]");
  return client_->login(user, password);
}

Result<Answer> AdmSession::run(std::string_view command) {
  if (!client_) return fail(Errc::unavailable, "not connected: server HOST[:PORT]");
  auto answer = client_->run(command);
  if (!answer && answer.error().code == Errc::closed) client_.reset();
  return answer;
}

const std::string& AdmSession::greeting() const {
  static const std::string kNone;
  return client_ ? client_->greeting() : kNone;
}

Result<std::vector<std::string>> AdmSession::mailboxes(const std::string& pattern) {
  if (pattern.find_first_of("*%") == std::string::npos) return std::vector<std::string>{pattern};
  const auto answer = TRY(run("LIST \"\" " + TRY(quoted(pattern))));
  std::vector<std::string> out;
  for (const auto* list : answer.all("LIST")) {
    if (list->values.size() < 3) continue;
    // \Noselect alone is a mailbox that the administrator may not read.
    bool exists = true;
    for (const auto& flag : list->values[0].items)
      exists = exists && !iequals(flag.text, "\\NonExistent");
    if (exists) out.push_back(list->values[2].text);
  }
  if (out.empty()) return fail(Errc::no_such_mailbox, "no mailbox is like {}", pattern);
  return out;
}

namespace adm {

Result<void> connect(AdmSession& session, const Words& args) { return session.connect(args[0]); }

Result<void> authenticate(AdmSession& session, const Words& args) {
  return session.login(args[0], TRY(session.ask_password(args[0])));
}

Result<void> disconnect(AdmSession& session, const Words&) {
  session.disconnect();
  return {};
}

Result<void> version(AdmSession& session, const Words&) {
  const auto answer = TRY(session.run("ID NIL"));
  for (const auto* id : answer.all("ID")) {
    if (id->values.empty()) continue;
    const auto& items = id->values[0].items;
    for (std::size_t i = 0; i + 1 < items.size(); i += 2)
      session.say(fmt::format("{}: {}", items[i].text, items[i + 1].text));
  }
  return {};
}

Result<void> help(AdmSession& session, const Words& args) {
  if (args.empty()) {
    for (const auto& command : adm_commands())
      session.say(fmt::format("{:<18} {:<20} {}", command.name, command.aliases, command.meaning));
    return {};
  }
  const AdmCommand* command = find_adm_command(args[0]);
  if (!command) return fail(Errc::bad_syntax, "no command \"{}\"", args[0]);
  session.say(fmt::format("{} {}", command->name, command->usage));
  if (!command->aliases.empty()) session.say(fmt::format("also: {}", command->aliases));
  session.say(command->meaning);
  return {};
}

Result<void> quit(AdmSession& session, const Words& args) {
  const auto status = args.empty() ? std::optional<std::uint32_t>(0) : parse_u32(args[0]);
  if (!status || *status > 255) return fail(Errc::bad_syntax, "\"{}\" is no status", args[0]);
  session.exit_status = static_cast<int>(*status);
  return {};
}

}  // namespace adm
}  // namespace postern::tools
