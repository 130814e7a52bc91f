// metad: the metadata of all mailboxes and users, in one process that alone opens Berkeley DB.
// Started by master, which keeps its listening socket open so that requests wait during a restart.
#include <signal.h>
#include <sys/signalfd.h>
#include <sysexits.h>

#include <cstdio>
#include <cstdlib>

#include "lib/base/clock.h"
#include "lib/log/log.h"
#include "lib/meta/home_lock.h"
#include "lib/meta/open.h"
#include "lib/net/endpoint.h"
#include "lib/service/inherited.h"
#include "master/metad/server.h"

namespace postern::metad {
namespace {

Result<Fd> signals_to_stop() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGQUIT, SIGINT}) sigaddset(&set, signal);
  // Before any thread is made: all of them inherit the mask. HUP changes nothing here.
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGHUP, SIG_IGN);
  ::signal(SIGPIPE, SIG_IGN);
  Fd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return errno_error("signalfd", "metad");
  return fd;
}

Result<Fd> listener(const config::Config& config) {
  if (std::getenv(service::env::kMetad)) return service::env_fd(service::env::kMetad);
  return net::listen_on(TRY(net::Endpoint::parse("unix:" + meta::socket_path(config))));
}

ServerOptions server_options(const config::Config& config) {
  ServerOptions options;
  options.housekeeping.checkpoint_every = config.duration("meta.checkpoint_interval");
  options.housekeeping.log_archive = config.text("meta.log_archive");
  return options;
}

Result<void> serve(int argc, char** argv) {
  const auto arguments = TRY(service::parse_arguments(argc, argv));
  const auto config = TRY(service::load_config(arguments, "metad"));
  const Fd stop = TRY(signals_to_stop());
  if (std::getenv(service::env::kMaster)) {
    const auto master = static_cast<std::int32_t>(TRY(service::env_number(service::env::kMaster)));
    service::end_with_master(master, master);
  }
  Fd door = TRY(listener(config));
  const std::int64_t began = steady_millis();
  const std::string& home = config.text("meta.directory");
  const auto lock = TRY(meta::HomeLock::take(home, "metad"));
  const auto core = TRY(meta::Core::open({.home = home, .cache_bytes = config.size("meta.cache")}));
  LOG(notice, "meta.start", {"home", home}, {"ms", steady_millis() - began});
  const auto server = TRY(Server::create(*core, std::move(door), server_options(config)));
  TRY(server->run(stop.get()));
  LOG(notice, "meta.stop", {"home", home});
  return {};
}

}  // namespace
}  // namespace postern::metad

int main(int argc, char** argv) {
  const auto served = postern::metad::serve(argc, argv);
  if (served) return EX_OK;
  LOG(error, "meta.failed", {"error", served.error().text});
  std::fprintf(stderr, "metad: %s\n", served.error().text.c_str());
  return served.error().code == postern::Errc::in_use ? EX_TEMPFAIL : EX_CONFIG;
}
