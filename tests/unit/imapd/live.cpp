#include "tests/unit/imapd/live.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "lib/auth/passwords.h"

namespace postern::imap {
namespace {

constexpr std::array kUsers{"anna", "bob", "admin"};

config::Config make_config(const std::string& directory) {
  const std::string toml = fmt::format(
      "[auth]\nsasldb = \"{0}/sasldb\"\nplaintext_loopback = true\nadmins = [\"admin\"]\n"
      "[meta]\ndirectory = \"{0}/meta\"\n[partition.default]\npath = \"{0}/spool\"\n"
      "[imap]\nappend_limit = \"100KiB\"\nrights_refresh = \"0s\"\n"
      "[log]\ntrace_directory = \"{0}/trace\"\n"
      "[server]\nruntime_directory = \"{0}\"\n[service.imap]\ndaemon = \"imapd\"\n",
      directory);
  auto config = config::Config::parse(toml);
  EXPECT_TRUE(config) << config.error().text;
  return std::move(*config);
}

std::string make_directory() {
  // In memory where there is such a folder: nothing here is about power cuts.
  const bool memory = std::filesystem::is_directory("/dev/shm");
  const std::filesystem::path parent =
      memory ? std::filesystem::path("/dev/shm") : std::filesystem::temp_directory_path();
  std::string path = (parent / "postern-imapd-XXXXXX").string();
  EXPECT_NE(::mkdtemp(path.data()), nullptr);
  std::filesystem::create_directories(path + "/meta");
  std::filesystem::create_directories(path + "/spool");
  return path;
}

// The password database is made once: hashing for all mechanisms takes its time.
const std::string& passwords() {
  static const std::string octets = [] {
    const std::string directory = make_directory();
    const config::Config config = make_config(directory);
    for (const char* user : kUsers) {
      const auto set =
          auth::set_password(config, meta::UserName::from_utf8(user).value(), auth::Secret("pass"));
      EXPECT_TRUE(set) << set.error().text;
    }
    std::string database = read_file(directory + "/sasldb").value();
    std::filesystem::remove_all(directory);
    return database;
  }();
  return octets;
}

}  // namespace

LiveServer::LiveServer() : directory(make_directory()), config(make_config(directory)) {
  EXPECT_TRUE(replace_file(directory + "/sasldb", passwords()));
  meta = std::move(meta::EmbeddedMeta::open(directory + "/meta", "imapd test").value());
  store = std::move(store::Store::open(config, *meta, board).value());
  auth = std::move(auth::Authenticator::create(config).value());
  configure();
  runtime = std::make_unique<FakeRuntime>(config, board);
}

void LiveServer::configure() {
  options = Options::from(config);
  events = std::move(EventScripts::create(config, "mail.example.org").value());
  events->start(*meta, board);
}

LiveServer::~LiveServer() {
  events.reset();
  store.reset();
  meta.reset();
  std::filesystem::remove_all(directory);
}

Client::Client(LiveServer& server) : server_(server) {
  int fds[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
  const int size = 8 << 20;  // answers of a whole command fit in
  ::setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  ::setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  peer_ = Fd(fds[0]);
  served_ = Fd(fds[1]);
  outcome_.kind = service::Outcome::Kind::parked;
}

Client::Client(LiveServer& server, std::string_view user) : Client(server) {
  const std::string answer = run(fmt::format("LOGIN {} pass", user));
  EXPECT_NE(answer.find("TAG OK"), std::string::npos) << answer;
}

std::string Client::serve(bool changed) {
  service::Session session;
  session.facts.session_id = 1;
  session.facts.service = "imap";
  session.facts.loopback = true;
  session.stream = Fd(::dup(served_.get()));
  session.state = outcome_.parked.state;
  session.unread = outcome_.parked.unread;
  session.changed = changed;
  Lately lately(*server_.meta, server_.options);
  const Backend backend{*server_.store,  *server_.meta, *server_.auth,
                        server_.options, lately,        *server_.events};
  outcome_ = Session(std::move(session), *server_.runtime, backend).serve();
  std::string answer;
  char buffer[65536];
  for (ssize_t got = 0; (got = ::recv(peer_.get(), buffer, sizeof buffer, MSG_DONTWAIT)) > 0;)
    answer.append(buffer, static_cast<std::size_t>(got));
  return answer + outcome_.parked.delayed_reply;
}

std::string Client::send(std::string_view octets) {
  EXPECT_FALSE(ended());
  EXPECT_TRUE(write_all(peer_.get(), octets));
  return serve(false);
}

std::string Client::run(std::string_view command) {
  const std::string tag = fmt::format("t{}", ++tags_);
  std::string answer = send(fmt::format("{} {}\r\n", tag, command));
  if (answer.starts_with(tag + " ")) return "TAG" + answer.substr(tag.size());
  const std::size_t at = answer.rfind("\n" + tag + " ");
  if (at != std::string::npos) answer.replace(at + 1, tag.size(), "TAG");
  return answer;
}

std::string Client::wake() { return serve(true); }

bool Client::has_news() const {
  for (const service::Watch& watch : outcome_.parked.watches)
    if (server_.board.value(watch.slot) != watch.seen) return true;
  return false;
}

std::string message(int number) {
  return fmt::format(
      "From: Sender {0} <sender{0}@example.org>\r\nTo: Anna <anna@example.org>\r\n"
      "Subject: message {0}\r\nDate: Mon, {1:02} Jan 2024 12:00:00 +0000\r\n"
      "Message-ID: <{0}@example.org>\r\n\r\nbody {0}\r\n",
      number, number % 28 + 1);
}

std::string append(std::string_view mailbox, int number, std::string_view flags) {
  const std::string octets = message(number);
  return fmt::format("APPEND {} ({}) {{{}+}}\r\n{}", mailbox, flags, octets.size(), octets);
}

}  // namespace postern::imap
