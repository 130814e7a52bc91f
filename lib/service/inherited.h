// What master gives its children: descriptors by number and facts by name, in the environment.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/change_board.h"
#include "lib/base/fd.h"
#include "lib/base/result.h"
#include "lib/config/config.h"
#include "lib/service/scoreboard.h"

namespace postern::service {

/// Names of the environment variables, used by master and here.
namespace env {
inline constexpr const char* kMaster = "POSTERN_MASTER_PID";
inline constexpr const char* kBoardMemory = "POSTERN_BOARD_FD";
inline constexpr const char* kBoardEvent = "POSTERN_BOARD_EVENT_FD";
inline constexpr const char* kScoreboard = "POSTERN_SCOREBOARD_FD";
inline constexpr const char* kDoor = "POSTERN_DOOR_FD";             // porter: the reading end
inline constexpr const char* kTlsDoor = "POSTERN_TLS_DOOR_FD";      // transportd: the reading end
inline constexpr const char* kControl = "POSTERN_CONTROL_FD";       // porter
inline constexpr const char* kPool = "POSTERN_POOL";                // fork servers
inline constexpr const char* kGeneration = "POSTERN_GENERATION";    // fork servers
inline constexpr const char* kPoolEvent = "POSTERN_POOL_EVENT_FD";  // fork servers
inline constexpr const char* kMetad = "POSTERN_METAD_FD";           // metad: a listening socket
}  // namespace env

/// The number in an environment variable. @error bad_syntax  unset or no number
Result<std::int64_t> env_number(const char* name);
/// The descriptor that a variable names, made close-on-exec. @error bad_syntax, io
Result<Fd> env_fd(const char* name);

Result<ChangeBoard> inherited_board();
Result<Scoreboard> inherited_scoreboard(bool with_heap);

/// From now on this process ends when master does. While master lives, the death of a parent in
/// between (a fork server) is survived: master is then the parent. Call after each fork.
/// `parent`: who forked this process.
void end_with_master(std::int32_t master, std::int32_t parent);

/// SIGUSR2 comes when the parent dies; the caller has a handler for it and decides.
void signal_when_parent_dies();

/// The arguments that all programs of the suite share: --config PATH, --set key=value (repeatable).
struct Arguments {
  std::string config = "/etc/postern/postern.toml";
  std::vector<std::string> settings;
  std::vector<std::string> rest;  // what it doesn't know, in order
};
/// @error bad_syntax  an option without its value
Result<Arguments> parse_arguments(int argc, char** argv);
/// The configuration with the settings applied, and the log opened as it says.
Result<config::Config> load_config(const Arguments& arguments, std::string_view program);

}  // namespace postern::service
