// The loop: signals, ends of children, what is due, tools.
#include "master/supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "lib/base/clock.h"
#include "lib/log/log.h"
#include "lib/net/fd_passing.h"
#include "lib/service/exit_status.h"
#include "lib/service/settings.h"
#include "master/schedule.h"

namespace postern::master {
namespace {

constexpr std::int64_t kLongestWait = 1000;  // ms
constexpr std::int64_t kEarly = 2000;        // ms: who ends younger was never well
constexpr std::int64_t kLongestBackOff = 10'000;

Fd open_signals() {
  sigset_t wanted;
  sigemptyset(&wanted);
  for (const int signal : {SIGCHLD, SIGHUP, SIGTERM, SIGINT, SIGQUIT}) sigaddset(&wanted, signal);
  sigprocmask(SIG_BLOCK, &wanted, nullptr);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGUSR2, SIG_IGN);
  return Fd{signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK)};
}

}  // namespace

int Supervisor::run() {
  signals_ = open_signals();
  plan_tasks();
  for (Task& task : tasks_)
    if (task.role == Role::metad) start_task(task);  // start jobs may need it
  if (!run_start_jobs()) {
    kill_everything();
    return EX_CONFIG;
  }
  for (;;) {
    start_due_tasks();
    std::vector<pollfd> items{{signals_.get(), POLLIN, 0}, {control_.get(), POLLIN, 0}};
    for (const int fd : tools_.descriptors()) items.push_back({fd, POLLIN, 0});
    ::poll(items.data(), items.size(), static_cast<int>(next_wait()));
    handle_signals();
    reap();
    check_porter();
    look_at_transport();
    answer_control();
    if (stopping_ && stop_step()) return EX_OK;
  }
}

void Supervisor::start_due_tasks() {
  const std::int64_t now = steady_millis();
  if (const std::int64_t period = watchdog_period(); period > 0 && now >= watchdog_at_) {
    notify_system("WATCHDOG=1");
    watchdog_at_ = now + period;
  }
  if (stopping_) return;
  for (Task& task : tasks_)
    if (task.pid == 0 && task.start_at <= now) start_task(task);
  if (std::exchange(ready_, true)) return;
  notify_system(fmt::format("READY=1\nMAINPID={}", getpid()));
  LOG(notice, "master.ready", {"pid", getpid()}, {"config", config_.path()});
}

void Supervisor::start_task(Task& task) {
  task.started_at = steady_millis();
  if (task.role == Role::porter) {
    if (const auto started = start_porter(); !started)
      LOG(error, "porter.start_failed", {"error", started.error().text});
  }
  const bool is_transport = task.role == Role::transport;
  Command command = command_of(task);
  const Fd control = is_transport ? open_transport(task) : Fd{};
  if (control) share(command, service::env::kControl, control.get());
  // transportd gives up root by itself, behind its chroot.
  const auto pid = spawn(command, is_transport ? Account{} : account_);
  if (!pid) {
    LOG(error, "child.start_failed", {"name", task.name}, {"error", pid.error().text});
    task.start_at = task.started_at + kLongestBackOff;
    return;
  }
  task.pid = *pid;
  if (is_transport) tell_transport(task);
  if (task.role != Role::porter) return;
  control_inner_.reset();  // so that we see when the last porter process has gone
  tell_porter_everything();
}

void Supervisor::reap() {
  int status = 0;
  pid_t pid = 0;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    const auto task = std::ranges::find(tasks_, pid, &Task::pid);
    if (task != tasks_.end()) task_ended(*task, status);
  }
  std::erase_if(tasks_, [](const Task& task) { return task.once && task.pid == 0; });
}

void Supervisor::task_ended(Task& task, int status) {
  const pid_t pid = task.pid;
  const std::int64_t lived = steady_millis() - task.started_at;
  if (task.role == Role::porter) return;  // its partner may live: check_porter
  task.pid = 0;
  if (stopping_) return;
  if (task.role == Role::event) {
    if (status != 0)
      LOG(error, "event.failed", {"name", task.name}, {"how", service::describe_exit(status)});
    return schedule_event(task);
  }
  if (task.once) return;
  // SIGKILL comes from outside and says nothing about the program.
  const bool failed = !(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  task.early_ends = lived < kEarly && failed ? task.early_ends + 1 : 0;
  const std::int64_t wait =
      task.early_ends <= 1
          ? 0
          : std::min<std::int64_t>(kLongestBackOff, 100LL << std::min(task.early_ends, 8U));
  task.start_at = steady_millis() + wait;
  LOG(error, "child.died", {"name", task.name}, {"pid", pid},
      {"how", service::describe_exit(status)}, {"ms", lived}, {"restart_ms", wait});
}

void Supervisor::schedule_event(Task& task) {
  const std::int64_t now = steady_millis();
  if (task.every > 0) {
    task.start_at = std::max(now, task.started_at + task.every);
    return;
  }
  const auto time = TimeOfDay::parse(task.at);
  if (!time) {
    LOG(error, "event.failed", {"name", task.name}, {"error", time.error().text});
    task.once = true;
    return;
  }
  task.start_at = now + (next_time_of_day(*time, wall_seconds()) - wall_seconds()) * 1000;
}

std::int64_t Supervisor::next_wait() const {
  const std::int64_t now = steady_millis();
  std::int64_t wait = stopping_ ? 20 : kLongestWait;
  for (const Task& task : tasks_)
    if (task.pid == 0 && !stopping_) wait = std::min(wait, task.start_at - now);
  return std::max<std::int64_t>(wait, 0);
}

void Supervisor::handle_signals() {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
    switch (static_cast<int>(info.ssi_signo)) {
      case SIGHUP:
        reload();
        break;
      case SIGTERM:
      case SIGINT:
        begin_stop();
        break;
      case SIGQUIT:
        LOG(notice, "master.quit", {"pid", getpid()});
        kill_everything();
        _exit(EX_OK);
      default:
        break;  // SIGCHLD: reap() looks
    }
  }
}

void Supervisor::answer_control() {
  for (const ControlSocket::Request& request : tools_.requests()) {
    if (request.text == "who") {
      const std::string path = fmt::format("/proc/self/fd/{}", scoreboard_->memory_fd());
      const Fd readable{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
      const std::array passed{readable.get()};
      ControlSocket::answer(request, "scoreboard", std::span(passed).first(readable ? 1 : 0));
    } else if (request.text == "board") {
      // For tools that change mailboxes: sessions are told at once.
      const std::array passed{board_->memory_fd(), board_->event_fd()};
      ControlSocket::answer(request, "board", passed);
    } else if (request.text.starts_with("kick ")) {
      send_order(service::Kind::kick, 0, request.text.substr(5), -1);
      ControlSocket::answer(request, "ok");
    } else {
      ControlSocket::answer(request, "unknown request");
    }
  }
}

// ---- porter

Result<void> Supervisor::start_porter() {
  auto pair = TRY(net::make_seqpacket_pair());
  control_ = std::move(pair.a);
  control_inner_ = std::move(pair.b);
  // The connections of a porter that died as a whole are gone; its rows mean nothing any more.
  service::ScoreboardHead& head = scoreboard_->head();
  for (service::SessionRow& row : scoreboard_->used_sessions())
    row.state.store(service::SessionState::free);
  head.sessions_top = 0;
  for (service::WorkerRow& row : head.workers) row.state.store(service::WorkerState::none);
  head.workers_top = 0;
  for (service::ListenerRow& row : head.listeners) row.fd = -1;
  for (service::PoolRow& row : head.pools) row.event_fd = -1;
  head.porter_starts = 0;
  return {};
}

/// porter is two processes, each of which can replace the other: it is dead when both have closed
/// the control socket.
void Supervisor::check_porter() {
  const auto porter = std::ranges::find(tasks_, Role::porter, &Task::role);
  if (porter == tasks_.end() || porter->pid == 0 || porter_done_) return;
  pollfd item{control_.get(), POLLIN, 0};
  if (::poll(&item, 1, 0) <= 0 || (item.revents & POLLHUP) == 0) return;
  porter->pid = 0;
  if (stopping_) {
    porter_done_ = true;
    return;
  }
  const bool early = steady_millis() - porter->started_at < kEarly;
  porter->early_ends = early ? porter->early_ends + 1 : 0;
  porter->start_at = porter->early_ends > 1 ? steady_millis() + 500 : 0;
  LOG(error, "porter.lost", {"reason", "both of its processes died"});
}

void Supervisor::send_order(service::Kind kind, std::uint32_t index, std::string_view user,
                            int fd) {
  service::Order order;
  order.kind = kind;
  order.index = index;
  order.user = user;
  const std::span<const int> passed(&fd, fd >= 0 ? 1 : 0);
  const auto sent =
      net::send_message(control_.get(), service::encode(order), passed, net::Wait::no);
  if (!sent) LOG(error, "porter.unreachable", {"error", sent.error().text});
}

void Supervisor::tell_porter_everything() {
  for (std::uint32_t i = 0; i < pool_events_.size(); ++i)
    send_order(service::Kind::pool_event, i, {}, pool_events_[i].get());
  const auto tls = tls_listeners();
  for (const Listeners::Bound& bound : listeners_.all()) {
    if (std::ranges::find(tls, bound.fd, &Transport::Listener::fd) != tls.end()) continue;
    send_order(service::Kind::listener, scoreboard_->find_service(bound.service), {}, bound.fd);
  }
}

// ---- transportd

Fd Supervisor::open_transport(const Task& task) {
  auto control = transport_.open_control(task.pool);
  if (control) return std::move(*control);
  LOG(error, "child.start_failed", {"name", task.name}, {"error", control.error().text});
  return {};
}

void Supervisor::tell_transport(const Task& task) {
  transport_.tell(task.pool, config_, tls_listeners());
}

void Supervisor::look_at_transport() {
  if (stopping_ || !Transport::is_wanted(config_) || !transport_.look(config_)) return;
  for (const Task& task : tasks_)
    if (task.role == Role::transport && task.pid != 0) tell_transport(task);
}

/// Sockets of services with implicit TLS; the protocol's name for ALPN follows the daemon.
std::vector<Transport::Listener> Supervisor::tls_listeners() const {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kAlpn{
      {{"imapd", "imap"}, {"pop3d", "pop3"}, {"managesieved", "managesieve"}}};
  std::vector<Transport::Listener> out;
  for (const service::ServiceSettings& service : service::service_settings(config_)) {
    if (service.tls != "implicit") continue;
    const auto alpn =
        std::ranges::find(kAlpn, service.daemon, [](const auto& row) { return row.first; });
    for (const Listeners::Bound& bound : listeners_.all())
      if (bound.service == service.name)
        out.push_back({service.name, std::string(alpn == kAlpn.end() ? "" : alpn->second),
                       service.proxy_networks, service.allow_networks, service.deny_networks,
                       bound.fd});
  }
  return out;
}

// ---- the end

void Supervisor::begin_stop() {
  if (std::exchange(stopping_, true)) return;
  LOG(notice, "master.stop", {"pid", getpid()});
  notify_system("STOPPING=1");
  stop_by_ = steady_millis() + config_.duration("master.stop_timeout").count();
  scoreboard_->head().stopping = 1;
  send_order(service::Kind::shut_down, 0, {}, -1);
  transport_.stop_all();
  for (const Task& task : tasks_)
    if (task.pid != 0 && task.role != Role::porter && task.role != Role::metad)
      ::kill(task.pid, SIGTERM);
}

/// True: everything has ended.
bool Supervisor::stop_step() {
  const bool late = steady_millis() >= stop_by_;
  if (late) {
    LOG(warning, "master.stop_timeout", {"option", "master.stop_timeout"});
    kill_everything();
    return true;
  }
  if (porter_done_) door_inner_.reset();  // workers that were on their way to porter see its end
  bool others = !porter_done_;
  for (const service::WorkerRow& row : scoreboard_->used_workers())
    others = others || (row.state.load() != service::WorkerState::none && porter_done_ &&
                        ::kill(row.pid, 0) == 0);
  for (const Task& task : tasks_) others = others || (task.pid != 0 && task.role != Role::metad);
  if (others) return false;
  const auto metad = std::ranges::find(tasks_, Role::metad, &Task::role);
  if (metad != tasks_.end() && metad->pid != 0) {
    if (!metad->once) ::kill(metad->pid, SIGTERM);
    metad->once = true;
    return false;
  }
  siginfo_t child{};
  if (waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) == 0) return false;  // not ECHILD
  LOG(notice, "master.stopped", {"pid", getpid()});
  return true;
}

/// Whoever is forgotten here dies by the death of its parent.
void Supervisor::kill_everything() const {
  for (const Task& task : tasks_)
    if (task.pid > 0) ::kill(task.pid, SIGKILL);
  if (const pid_t porter = scoreboard_->head().porter_pid.load(); porter > 0)
    ::kill(porter, SIGKILL);
  for (const service::WorkerRow& row : scoreboard_->used_workers())
    if (row.state.load() != service::WorkerState::none && row.pid > 0) ::kill(row.pid, SIGKILL);
}

}  // namespace postern::master
