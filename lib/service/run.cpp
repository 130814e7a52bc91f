// main() of every daemon: takes over what master prepared and becomes the pool's fork server.
#include <sysexits.h>

#include <cstdio>

#include "lib/log/log.h"
#include "lib/service/daemon.h"
#include "lib/service/fork_server.h"
#include "lib/service/inherited.h"

namespace postern::service {
namespace {

Result<int> start(Daemon& daemon, int argc, char** argv) {
  const Arguments arguments = TRY(parse_arguments(argc, argv));
  const config::Config config = TRY(load_config(arguments, daemon.name()));
  const auto master = static_cast<std::int32_t>(TRY(env_number(env::kMaster)));
  ChangeBoard board = TRY(inherited_board());
  Scoreboard scoreboard = TRY(inherited_scoreboard(false));
  const Fd door = TRY(env_fd(env::kDoor));
  const Fd tls_door = TRY(env_fd(env::kTlsDoor));
  WorkerSetup setup;
  setup.config = &config;
  setup.board = &board;
  setup.scoreboard = &scoreboard;
  setup.settings = pool_settings(config, daemon.name());
  setup.pool = static_cast<std::uint32_t>(TRY(env_number(env::kPool)));
  setup.generation = static_cast<std::uint32_t>(TRY(env_number(env::kGeneration)));
  setup.door = door.get();
  setup.tls_door = tls_door.get();
  return ForkServer(daemon, setup, TRY(env_fd(env::kPoolEvent))).run(master);
}

}  // namespace

int run(Daemon& daemon, int argc, char** argv) {
  const auto code = start(daemon, argc, argv);
  if (code) return *code;
  std::fprintf(stderr, "%.*s: %s\n", static_cast<int>(daemon.name().size()), daemon.name().data(),
               code.error().text.c_str());
  return EX_CONFIG;
}

}  // namespace postern::service
