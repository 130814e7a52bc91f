// transportd: TLS for all services, in a process that sees private keys and nothing else. master
// leaves it three sockets: orders (message.h), porter's door, and the TLS door at which workers
// hand in connections for STARTTLS. Everything else comes as an order.
#include <openssl/ssl.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>

#include "lib/log/log.h"
#include "lib/service/inherited.h"
#include "master/transportd/jail.h"
#include "master/transportd/server.h"
#include "master/transportd/ssl_memory.h"

namespace postern::transportd {
namespace {

constexpr rlim_t kMostConnections = 1 << 17;

/// As many descriptors as the hard limit allows: each connection has two. Returns how many
/// connections that are.
std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  return std::min(limit.rlim_max / 2, kMostConnections);
}

Result<void> serve(const config::Config& config) {
  Fd control = TRY(service::env_fd(service::env::kControl));
  Fd door = TRY(service::env_fd(service::env::kDoor));
  Fd tls_door = TRY(service::env_fd(service::env::kTlsDoor));
  Server server(std::move(control), std::move(door), std::move(tls_door),
                config.duration("tls.handshake_timeout").count());
  TRY(server.prepare());
  // All algorithms are in libcrypto itself; without a configuration file nothing is opened later.
  if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr) != 1)
    return fail(Errc::io, "OpenSSL doesn't start: {}", openssl_error());
  TRY(enter_jail({.user = config.text("tls.user"), .root = config.text("tls.chroot")}));
  server.run();
  return {};
}

Result<config::Config> read_config(int argc, char** argv) {
  return service::load_config(TRY(service::parse_arguments(argc, argv)), "transportd");
}

int run(int argc, char** argv) {
  const auto config = read_config(argc, argv);
  if (!config) {
    std::fprintf(stderr, "transportd: %s\n", config.error().text.c_str());
    return EX_CONFIG;
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);  // a reload comes as an order
  std::signal(SIGTERM, SIG_IGN);
  // If it doesn't take effect, an idle connection costs some KiB more.
  take_over_ssl_memory(raise_descriptor_limit());
  const auto served = serve(*config);
  if (!served) LOG(error, "transportd.failed", {"error", served.error().text});
  return served ? EX_OK : EX_OSERR;
}

}  // namespace
}  // namespace postern::transportd

// At once: what libraries do at exit may need calls that the jail refuses (LeakSanitizer waits for
// a helper for ever).
int main(int argc, char** argv) { ::_exit(postern::transportd::run(argc, argv)); }
