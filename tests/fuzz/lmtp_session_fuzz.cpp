// A whole LMTP session over a socketpair, from each state: the first octet of the input chooses
// what was said before. The store is one in memory; metadata and authentication are real.
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "lib/auth/passwords.h"
#include "lib/base/assert.h"
#include "lib/log/log.h"
#include "lib/meta/embedded.h"
#include "lib/net/fd_passing.h"
#include "lib/store/provision.h"
#include "lmtpd/session.h"
#include "tests/unit/lmtpd/fake_store.h"

namespace postern::lmtp {
namespace {

class Runtime : public service::Runtime {
 public:
  explicit Runtime(const config::Config& config) : config_(config) {}
  [[nodiscard]] const config::Config& config() const override { return config_; }
  [[nodiscard]] ChangeBoard& board() override { return board_; }
  [[nodiscard]] bool hurry() const override { return true; }
  [[nodiscard]] bool stopping() const override { return false; }
  Result<void> logged_in(std::string_view) override { return {}; }
  std::chrono::milliseconds login_failed(std::string_view) override {
    return std::chrono::milliseconds(1);
  }

 private:
  const config::Config& config_;
  ChangeBoard board_ = ChangeBoard::private_board();
};

/// Made once; its folder is removed at exit.
struct World {
  World() {
    char name[] = "/dev/shm/postern-fuzz-XXXXXX";
    folder = ::mkdtemp(name);
    for (const std::string& option :
         {"auth.sasldb=" + folder + "/sasldb2", std::string("server.hostname=mail.example.org"),
          std::string("log.trace_directory="), std::string("lmtp.max_message=64KiB"),
          std::string("auth.plaintext_loopback=true"), std::string("lmtp.idle_timeout=1s")})
      ASSERT(config.set(option));
    log::open("fuzz", "stderr", log::Level::error);
    ASSERT(auth::set_password(config, meta::UserName::from_utf8("mta").value(),
                              auth::Secret("secret")));
    auth = auth::Authenticator::create(config).value();
    meta = meta::EmbeddedMeta::open(folder + "/meta", "fuzz").value();
    runtime = std::make_unique<Runtime>(config);
    store = store::Store::open(config, *meta, runtime->board()).value();
    for (const auto* const user : {"anna", "bob"})
      ASSERT(store::provision_user(*store, *meta, meta::UserName::from_utf8(user).value()));
    options = Options::from(config);
    site = site::Settings::from(config).value();
    scripts = std::make_unique<site::SieveScripts>(config);
    lists = std::make_unique<site::SieveLists>(config, site);
    submitter = site::make_submitter("", "mail.example.org").value();
  }
  ~World() {
    store.reset();
    meta.reset();
    std::filesystem::remove_all(folder);
  }

  std::string folder;
  config::Config config = config::Config::parse("").value();
  std::unique_ptr<auth::Authenticator> auth;
  std::unique_ptr<meta::EmbeddedMeta> meta;
  std::unique_ptr<Runtime> runtime;
  std::unique_ptr<store::Store> store;
  Options options;
  QuotaGlance quota;
  site::Settings site;
  std::unique_ptr<site::SieveScripts> scripts;
  std::unique_ptr<site::SieveLists> lists;
  std::unique_ptr<site::Submitter> submitter;
  site::Programs programs;
};

constexpr std::string_view kBefore[] = {
    "",
    "LHLO x\r\n",
    "LHLO x\r\nMAIL FROM:<a@b>\r\n",
    "LHLO x\r\nMAIL FROM:<a@b> BODY=BINARYMIME\r\nRCPT TO:<anna>\r\n",
    "LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<anna>\r\nRCPT TO:<bob>\r\nDATA\r\n",
    "LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<anna>\r\nBDAT 3\r\nabc",
    "LHLO x\r\nAUTH LOGIN\r\n",
};

void play(World& world, unsigned choice, std::string_view input) {
  world.options.require_auth = choice >= 128;
  const net::Pair pair = net::make_stream_pair().value();
  const std::string script = std::string(kBefore[choice % std::size(kBefore)]) + std::string(input);
  ASSERT(write_all(pair.a.get(), script));
  ::shutdown(pair.a.get(), SHUT_WR);
  const Backend backend{*world.store,     *world.meta,   *world.auth,    world.options,
                        world.quota,      world.site,    *world.scripts, *world.lists,
                        *world.submitter, world.programs};
  service::Outcome outcome;
  do {
    service::Session wake;
    wake.facts.service = "lmtp";
    wake.facts.loopback = true;
    wake.facts.peer_address = "127.0.0.1";
    wake.stream = Fd(::dup(pair.b.get()));
    wake.state = outcome.parked.state;
    wake.unread = outcome.parked.unread;
    outcome = Session(std::move(wake), *world.runtime, backend).serve();
  } while (outcome.kind == service::Outcome::Kind::parked);
  for (auto& [id, messages] : store::fake::state().mailboxes) messages.clear();
}

}  // namespace
}  // namespace postern::lmtp

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static postern::lmtp::World world;
  if (size == 0 || size > 60'000) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  postern::lmtp::play(world, data[0], input.substr(1));
  return 0;
}
