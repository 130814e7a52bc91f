// Takes over what master left in the environment; dies with master.
#include "lib/service/inherited.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdlib>

#include "lib/base/text.h"
#include "lib/config/config.h"
#include "lib/log/log.h"

namespace postern::service {
namespace {

// Read by a signal handler, hence not a member of anything; written once after each fork.
volatile pid_t master_pid = 0;

/// A parent died. If that was the fork server we belong to master now; else master is dead.
void on_parent_death(int) {
  if (getppid() != master_pid) _exit(0);
}

log::Level level_of(const std::string& name) {
  if (name == "debug") return log::Level::debug;
  if (name == "warning") return log::Level::warning;
  if (name == "error") return log::Level::error;
  return log::Level::notice;
}

}  // namespace

Result<std::int64_t> env_number(const char* name) {
  const char* text = std::getenv(name);
  const auto number = text != nullptr ? parse_u64(text) : std::nullopt;
  if (!number) return fail(Errc::bad_syntax, "{} is not set: started without master?", name);
  return static_cast<std::int64_t>(*number);
}

Result<Fd> env_fd(const char* name) {
  Fd fd{static_cast<int>(TRY(env_number(name)))};
  if (fcntl(fd.get(), F_SETFD, FD_CLOEXEC) != 0) {
    static_cast<void>(fd.release());
    return errno_error("fcntl", name);
  }
  return fd;
}

Result<ChangeBoard> inherited_board() {
  Fd memory = TRY(env_fd(env::kBoardMemory));
  Fd event = TRY(env_fd(env::kBoardEvent));
  return ChangeBoard::attach(std::move(memory), std::move(event));
}

Result<Scoreboard> inherited_scoreboard(bool with_heap) {
  return Scoreboard::attach(TRY(env_fd(env::kScoreboard)), with_heap);
}

void end_with_master(std::int32_t master, std::int32_t parent) {
  master_pid = master;
  struct sigaction action {};
  action.sa_handler = on_parent_death;
  action.sa_flags = SA_RESTART;
  sigaction(SIGUSR2, &action, nullptr);
  prctl(PR_SET_PDEATHSIG, SIGUSR2);
  // They may have died before prctl.
  if (getppid() != parent && getppid() != master) _exit(0);
}

void signal_when_parent_dies() { prctl(PR_SET_PDEATHSIG, SIGUSR2); }

Result<Arguments> parse_arguments(int argc, char** argv) {
  Arguments out;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name != "--config" && name != "--set") {
      out.rest.emplace_back(name);
      continue;
    }
    if (++i == argc) return fail(Errc::bad_syntax, "{} needs a value", name);
    if (name == "--config")
      out.config = argv[i];
    else
      out.settings.emplace_back(argv[i]);
  }
  return out;
}

Result<config::Config> load_config(const Arguments& arguments, std::string_view program) {
  auto config = TRY(config::Config::load(arguments.config));
  for (const std::string& setting : arguments.settings) TRY(config.set(setting));
  log::open(program, config.text("log.target"), level_of(config.text("log.level")));
  return config;
}

}  // namespace postern::service
