// The supervisor: what master does between its start and its end. One poll loop; it never waits
// for a child or a peer.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/change_board.h"
#include "lib/base/fd.h"
#include "lib/config/config.h"
#include "lib/service/inherited.h"
#include "lib/service/message.h"
#include "lib/service/scoreboard.h"
#include "master/child.h"
#include "master/control_socket.h"
#include "master/listeners.h"
#include "master/system.h"
#include "master/transport.h"

namespace postern::master {

class Supervisor {
 public:
  Supervisor(service::Arguments arguments, config::Config config);

  /// Directories, pid file, sockets, shared memory. Nothing is started yet.
  Result<void> prepare();
  /// Runs until SIGTERM, SIGINT or SIGQUIT. @return an exit code of sysexits.h
  int run();

 private:
  enum class Role { porter, metad, transport, pool, daemon, event, start };
  /// Something that is to run, and its process while it does.
  struct Task {
    Role role;
    std::string name;
    std::uint32_t pool = kNoPool;  // transport: its number
    std::uint32_t generation = 0;
    pid_t pid = 0;
    std::int64_t started_at = 0;  // steady ms
    std::int64_t start_at = 0;    // steady ms; not before; 0: now
    std::int64_t every = 0;       // event: ms
    std::string at{};             // event: time of day
    std::uint32_t early_ends = 0;
    bool once = false;  // ends for good: an old fork server, a start job
  };
  static constexpr std::uint32_t kNoPool = service::kNone;

  // Start and configuration.
  Result<void> make_directories();
  Result<void> make_shared_memory();
  Result<void> fill_tables();
  void fill_service(std::uint32_t index, const service::ServiceSettings& settings);
  void plan_tasks();
  void add_pool(std::uint32_t pool);
  [[nodiscard]] bool is_built(std::string_view program) const;
  void plan_events();
  bool run_start_jobs();
  void reload();

  // Children.
  void start_due_tasks();
  void start_task(Task& task);
  [[nodiscard]] Command command_of(const Task& task) const;
  [[nodiscard]] std::vector<std::string> words_for(const Task& task) const;
  void share(Command& command, const char* variable, int fd) const;
  void reap();
  void task_ended(Task& task, int status);
  void schedule_event(Task& task);
  Result<void> start_porter();
  void check_porter();
  void send_order(service::Kind kind, std::uint32_t index, std::string_view user, int fd);
  void tell_porter_everything();
  Fd open_transport(const Task& task);
  void tell_transport(const Task& task);
  void look_at_transport();
  [[nodiscard]] std::vector<Transport::Listener> tls_listeners() const;

  // Signals and the end.
  void handle_signals();
  void begin_stop();
  bool stop_step();
  void kill_everything() const;
  [[nodiscard]] std::int64_t next_wait() const;
  void answer_control();

  service::Arguments arguments_;
  config::Config config_;
  Account account_;
  std::string programs_;  // the directory that master's own program lies in
  std::string runtime_;
  Fd pid_file_;
  Fd signals_;
  std::optional<ChangeBoard> board_;
  std::optional<service::Scoreboard> scoreboard_;
  Fd door_inner_, door_outer_;  // porter's end, everybody else's
  Fd control_, control_inner_;  // to the porter of today
  Fd metad_listener_;
  Transport transport_;
  std::vector<Fd> pool_events_;
  ActivatedSockets activated_;
  Listeners listeners_;
  ControlSocket tools_;
  std::vector<Task> tasks_;
  std::uint32_t generation_ = 1;
  bool stopping_ = false;
  bool porter_done_ = false;
  std::int64_t stop_by_ = 0;
  std::int64_t watchdog_at_ = 0;
  bool ready_ = false;
};

}  // namespace postern::master
