// transportd: TLS for all services, in a process that sees private keys and nothing else. master
// starts it with two sockets: POSTERN_TRANSPORT_CONTROL (orders, see message.h) and
// POSTERN_TRANSPORT_DOOR (porter's door). Everything else comes as an order.
#include <fcntl.h>
#include <openssl/ssl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>

#include "lib/base/text.h"
#include "lib/config/config.h"
#include "lib/log/log.h"
#include "master/transportd/jail.h"
#include "master/transportd/server.h"

namespace postern::transportd {
namespace {

constexpr int kUsage = 64;  // sysexits.h
constexpr int kConfig = 78;

Result<Fd> inherited(const char* name) {
  const char* text = std::getenv(name);
  const auto number = text != nullptr ? parse_u32(text) : std::nullopt;
  if (!number)
    return fail(Errc::bad_syntax, "{} names no descriptor: master starts transportd", name);
  Fd fd(static_cast<int>(*number));
  if (fcntl(fd.get(), F_SETFD, FD_CLOEXEC) != 0) return errno_error("descriptor of", name);
  return fd;
}

/// As many descriptors as the hard limit allows: each connection has two.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

Result<void> serve(const config::Config& config) {
  Server server(TRY(inherited("POSTERN_TRANSPORT_CONTROL")),
                TRY(inherited("POSTERN_TRANSPORT_DOOR")),
                config.duration("tls.handshake_timeout").count());
  TRY(server.prepare());
  // All algorithms are in libcrypto itself; without a configuration file nothing is opened later.
  if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr) != 1)
    return fail(Errc::io, "OpenSSL doesn't start: {}", openssl_error());
  TRY(enter_jail({.user = config.text("tls.user"), .root = config.text("tls.chroot")}));
  server.run();
  return {};
}

int run(int argc, char** argv) {
  if (argc != 3 || std::string_view(argv[1]) != "--config") return kUsage;
  auto config = config::Config::load(argv[2]);
  if (!config) {
    LOG(error, "config.bad", {"error", config.error().text});
    return kConfig;
  }
  const auto level = log::level_from(config->text("log.level"));
  log::open("transportd", config->text("log.target"), level ? *level : log::Level::notice);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);  // a reload comes as an order
  std::signal(SIGTERM, SIG_IGN);
  raise_descriptor_limit();
  const auto served = serve(*config);
  if (!served) LOG(error, "transportd.failed", {"error", served.error().text});
  return served ? 0 : 1;
}

}  // namespace
}  // namespace postern::transportd

int main(int argc, char** argv) { return postern::transportd::run(argc, argv); }
