// The supervisor's start: what the configuration asks for, and its change by SIGHUP.
#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "lib/base/clock.h"
#include "lib/log/log.h"
#include "lib/net/fd_passing.h"
#include "lib/service/exit_status.h"
#include "lib/service/settings.h"
#include "master/supervisor.h"

namespace postern::master {
namespace {

constexpr std::uint64_t kReserve = 256;  // descriptors that are no connections
constexpr std::uint64_t kMostSessions = 1'000'000;

std::string own_directory() {
  char path[4096];
  const auto size = readlink("/proc/self/exe", path, sizeof path);
  const std::string_view text(path, size > 0 ? static_cast<std::size_t>(size) : 0);
  return std::string(text.substr(0, text.find_last_of('/')));
}

/// As many as the kernel lets us have, for us and all children.
std::uint64_t raise_open_files() {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  return files.rlim_cur;
}

std::string directory_of(const std::string& path) {
  const auto slash = path.find_last_of('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

bool is_implicit_tls(const service::ServiceSettings& service) { return service.tls == "implicit"; }

/// What can be served: implicit TLS needs a certificate.
std::vector<service::ServiceSettings> usable_services(const config::Config& config) {
  auto services = service::service_settings(config);
  if (Transport::is_wanted(config)) return services;
  for (const service::ServiceSettings& service : services)
    if (is_implicit_tls(service))
      LOG(warning, "service.skipped", {"service", service.name},
          {"reason", "tls = implicit needs a tls.certificate"});
  std::erase_if(services, is_implicit_tls);
  return services;
}

}  // namespace

Supervisor::Supervisor(service::Arguments arguments, config::Config config)
    : arguments_(std::move(arguments)),
      config_(std::move(config)),
      programs_(own_directory()),
      runtime_(config_.text("server.runtime_directory")) {}

Result<void> Supervisor::prepare() {
  account_ = TRY(find_account(config_.text("server.user")));
  TRY(make_directories());
  std::string pid_file = config_.text("master.pid_file");
  if (pid_file.empty()) pid_file = runtime_ + "/master.pid";
  pid_file_ = TRY(lock_pid_file(pid_file));
  TRY(make_shared_memory());
  TRY(transport_.make_door());
  TRY(fill_tables());
  TRY(listeners_.configure(usable_services(config_), activated_));
  TRY(tools_.open(runtime_ + "/control"));
  net::Endpoint metad;
  metad.kind = net::Endpoint::Kind::unix_path;
  metad.host = config_.text("meta.socket");
  if (metad.host.empty()) metad.host = runtime_ + "/metad.sock";
  net::ListenOptions options;
  options.mode = 0600;
  metad_listener_ = TRY(net::listen_on(metad, options));
  if (account_.change && ::chown(metad.host.c_str(), account_.uid, account_.gid) != 0)
    return errno_error("chown", metad.host);
  return {};
}

Result<void> Supervisor::make_directories() {
  TRY(make_directory(runtime_, 0755, account_));
  TRY(make_directory(config_.text("meta.directory"), 0700, account_));
  if (Transport::is_wanted(config_) && account_.change)
    TRY(make_directory(config_.text("tls.chroot"), 0755, {}));
  TRY(make_directory(directory_of(config_.text("auth.sasldb")), 0700, account_));
  for (const auto& [name, path] : config_.partitions()) TRY(make_directory(path, 0700, account_));
  return {};
}

Result<void> Supervisor::make_shared_memory() {
  const std::uint64_t files = raise_open_files();
  auto sessions = static_cast<std::uint64_t>(config_.integer("master.connections"));
  std::uint64_t workers = kReserve;
  for (const service::ServiceSettings& service : service::service_settings(config_))
    workers += service::pool_settings(config_, service.daemon).max_workers;
  if (files < workers + 64)
    return fail(Errc::limit, "the limit of open files ({}) is too low for {} workers", files,
                workers);
  if (sessions == 0 || sessions > files - workers) sessions = files - workers;
  scoreboard_ = TRY(
      service::Scoreboard::create(static_cast<std::uint32_t>(std::min(sessions, kMostSessions))));
  board_ = TRY(ChangeBoard::create());
  auto door = TRY(net::make_seqpacket_pair());
  door_inner_ = std::move(door.a);
  door_outer_ = std::move(door.b);
  return {};
}

/// Rows of pools and services; names keep their rows over a reload.
Result<void> Supervisor::fill_tables() {
  for (const service::ServiceSettings& service : usable_services(config_)) {
    std::uint32_t pool = scoreboard_->find_pool(service.daemon);
    if (pool == service::kNone) {
      pool = scoreboard_->find_pool("");
      if (pool == service::kNone)
        return fail(Errc::limit, "more than {} daemons", service::kMaxPools);
      scoreboard_->head().pools[pool].daemon.set(service.daemon);
      pool_events_.resize(std::max<std::size_t>(pool_events_.size(), pool + 1));
      pool_events_[pool].reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    }
    const service::PoolSettings settings = service::pool_settings(config_, service.daemon);
    service::PoolRow& row = scoreboard_->head().pools[pool];
    row.min_spare = settings.min_spare;
    row.max_spare = std::max(settings.max_spare, settings.min_spare);
    row.max_workers = settings.max_workers;
    std::uint32_t index = scoreboard_->find_service(service.name);
    if (index == service::kNone) index = scoreboard_->find_service("");
    if (index == service::kNone)
      return fail(Errc::limit, "more than {} services", service::kMaxServices);
    TRY(service::check_networks(service));
    fill_service(index, service);
    scoreboard_->head().services[index].pool = pool;
  }
  return {};
}

void Supervisor::fill_service(std::uint32_t index, const service::ServiceSettings& settings) {
  service::ServiceRow& row = scoreboard_->head().services[index];
  row.name.set(settings.name);
  row.max_connections = settings.max_connections;
  row.max_per_address = settings.max_per_address;
  row.max_per_user = settings.max_per_user;
  row.max_active_per_user = settings.max_active_per_user;
  row.login_timeout = settings.login_timeout.count();
  row.proxy_networks.set(settings.proxy_networks);
  row.allow_networks.set(settings.allow_networks);
  row.deny_networks.set(settings.deny_networks);
}

/// Whether the program lies beside master's own; its absence is logged.
bool Supervisor::is_built(std::string_view program) const {
  if (access(fmt::format("{}/{}", programs_, program).c_str(), X_OK) == 0) return true;
  LOG(error, "program.missing", {"name", program}, {"path", programs_});
  return false;
}

void Supervisor::plan_tasks() {
  if (is_built("metad")) tasks_.push_back({.role = Role::metad, .name = "metad"});
  tasks_.push_back({.role = Role::porter, .name = "porter"});
  if (Transport::is_wanted(config_) && is_built("transportd"))
    for (std::uint32_t i = 0; i < Transport::processes(config_); ++i)
      tasks_.push_back({.role = Role::transport, .name = "transportd", .pool = i});
  for (std::uint32_t i = 0; i < service::kMaxPools; ++i) {
    const std::string_view daemon = scoreboard_->head().pools[i].daemon.view();
    if (!daemon.empty() && is_built(daemon)) add_pool(i);
  }
  plan_events();
}

void Supervisor::add_pool(std::uint32_t pool) {
  Task task{.role = Role::pool, .name = std::string(scoreboard_->head().pools[pool].daemon.view())};
  task.pool = pool;
  task.generation = generation_;
  tasks_.push_back(std::move(task));
}

/// The entries under event.* and process.*.
void Supervisor::plan_events() {
  for (const std::string& name : config_.names_under("process"))
    tasks_.push_back({.role = Role::daemon, .name = name});
  for (const std::string& name : config_.names_under("event")) {
    Task task{.role = Role::event, .name = name};
    task.every = config_.duration(fmt::format("event.{}.every", name)).count();
    task.at = config_.text(fmt::format("event.{}.at", name));
    task.started_at = steady_millis();
    schedule_event(task);
    tasks_.push_back(std::move(task));
  }
}

std::vector<std::string> Supervisor::words_for(const Task& task) const {
  const auto option = [&](std::string_view table) {
    return words_of(config_.text(fmt::format("{}.{}.command", table, task.name)), programs_);
  };
  switch (task.role) {
    case Role::daemon:
      return option("process");
    case Role::event:
      return option("event");
    case Role::start:
      return option("start");
    default:
      break;
  }
  std::vector<std::string> words{programs_ + "/" + task.name, "--config", arguments_.config};
  for (const std::string& setting : arguments_.settings)
    words.insert(words.end(), {"--set", setting});
  return words;
}

Command Supervisor::command_of(const Task& task) const {
  Command command;
  command.words = words_for(task);
  if (command.words.empty()) command.words = {"/nonexistent"};
  if (task.role == Role::porter || task.role == Role::metad || task.role == Role::pool) {
    share(command, service::env::kBoardMemory, board_->memory_fd());
    share(command, service::env::kBoardEvent, board_->event_fd());
    share(command, service::env::kScoreboard, scoreboard_->memory_fd());
  }
  command.environment[service::env::kMaster] = fmt::format("{}", getpid());
  if (task.role == Role::metad) share(command, service::env::kMetad, metad_listener_.get());
  if (task.role == Role::porter) {
    share(command, service::env::kDoor, door_inner_.get());
    share(command, service::env::kControl, control_inner_.get());
  }
  if (task.role == Role::transport) {
    share(command, service::env::kDoor, door_outer_.get());
    share(command, service::env::kTlsDoor, transport_.door_inner());
  }
  if (task.role == Role::pool) {
    share(command, service::env::kDoor, door_outer_.get());
    share(command, service::env::kTlsDoor, transport_.door_outer());
    share(command, service::env::kPoolEvent, pool_events_[task.pool].get());
    command.environment[service::env::kPool] = fmt::format("{}", task.pool);
    command.environment[service::env::kGeneration] = fmt::format("{}", task.generation);
  }
  return command;
}

void Supervisor::share(Command& command, const char* variable, int fd) const {
  command.environment[variable] = fmt::format("{}", fd);
  command.descriptors.push_back(fd);
}

/// In the order of their names, each to its end. False: one failed.
bool Supervisor::run_start_jobs() {
  for (const std::string& name : config_.names_under("start")) {
    const Task task{.role = Role::start, .name = name};
    const auto pid = spawn(command_of(task), account_);
    int status = -1;
    if (pid)
      while (waitpid(*pid, &status, 0) < 0 && errno == EINTR) {
      }
    if (status == 0) continue;
    LOG(error, "start.failed", {"name", name},
        {"how", pid ? service::describe_exit(status) : pid.error().text});
    return false;
  }
  return true;
}

void Supervisor::reload() {
  if (stopping_) return;
  notify_system(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", steady_micros()));
  auto fresh = service::load_config(arguments_, "master");
  if (!fresh) {
    LOG(error, "master.reload_failed", {"error", fresh.error().text});
    return notify_system("READY=1");
  }
  config::Config old = std::exchange(config_, std::move(*fresh));
  auto done = listeners_.configure(usable_services(config_), activated_);
  if (done) done = fill_tables();
  if (!done) {
    config_ = std::move(old);
    LOG(error, "master.reload_failed", {"error", done.error().text});
    return notify_system("READY=1");
  }
  for (std::uint32_t i = 0; i < service::kMaxServices; ++i)
    send_order(service::Kind::unlisten, i, {}, -1);
  tell_porter_everything();
  for (const Task& task : tasks_)
    if (task.role == Role::transport && task.pid != 0) tell_transport(task);
  ++generation_;
  for (Task& task : tasks_) {
    if (task.role == Role::pool) task.once = true;  // goes when its successor has greeted
    if (task.role == Role::daemon || task.role == Role::event) {
      task.once = true;
      if (task.pid != 0 && task.role == Role::daemon) ::kill(task.pid, SIGTERM);
    }
  }
  std::erase_if(tasks_, [](const Task& task) { return task.once && task.pid == 0; });
  for (std::uint32_t i = 0; i < service::kMaxPools; ++i) {
    const std::string_view daemon = scoreboard_->head().pools[i].daemon.view();
    if (!daemon.empty() && is_built(daemon)) add_pool(i);
  }
  plan_events();
  LOG(notice, "master.reload", {"generation", generation_}, {"config", config_.path()});
  notify_system("READY=1");
}

}  // namespace postern::master
