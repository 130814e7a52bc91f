#include "sieve/site/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "lib/base/clock.h"
#include "lib/base/fd.h"

namespace postern::site {
namespace {

struct Pipe {
  Fd out;
  Fd in;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(Errc::io, "pipe: {}", std::strerror(errno));
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

/// How it starts: in a group of its own, without the worker's signal dispositions.
struct Spawn {
  posix_spawn_file_actions_t files{};
  posix_spawnattr_t attributes{};

  Spawn(int input, int output) {
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
    posix_spawnattr_init(&attributes);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    for (const int signal : {SIGPIPE, SIGHUP, SIGTERM, SIGINT}) sigaddset(&signals, signal);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  Spawn(const Spawn&) = delete;
  Spawn& operator=(const Spawn&) = delete;
  ~Spawn() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
};

std::vector<char*> pointers_to(const std::vector<std::string>& words) {
  std::vector<char*> out;
  out.reserve(words.size() + 1);
  for (const auto& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

/// The program while it runs; killed if it is left before its end.
class Child {
 public:
  Child(pid_t pid, Fd input, Fd output, const ChildPlan& plan)
      : pid_(pid),
        input_(std::move(input)),
        output_(std::move(output)),
        rest_(plan.input),
        most_output_(plan.most_output),
        deadline_(steady_millis() + plan.limit.count()) {
    handle_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    for (const int fd : {input_.get(), output_.get()}) ::fcntl(fd, F_SETFL, O_NONBLOCK);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ < 0) return;
    ::kill(-pid_, SIGKILL);
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  Result<ChildEnd> end() {
    while (true) {
      if (rest_.empty()) input_.reset();
      std::array<pollfd, 3> items{pollfd{handle_.get(), POLLIN, 0},
                                  pollfd{output_ ? output_.get() : -1, POLLIN, 0},
                                  pollfd{input_ ? input_.get() : -1, POLLOUT, 0}};
      const auto left = std::max<std::int64_t>(deadline_ - steady_millis(), 0);
      const int ready = ::poll(items.data(), items.size(), static_cast<int>(left));
      if (ready == 0) return fail(Errc::timed_out, "the command took too long");
      if (ready < 0 && errno != EINTR) return fail(Errc::io, "poll: {}", std::strerror(errno));
      if (ready < 0) continue;
      if (items[2].revents != 0) TRY(feed());
      if (items[1].revents != 0) drain();
      if (items[0].revents != 0) break;
    }
    drain();
    ChildEnd done;
    ::waitpid(std::exchange(pid_, -1), &done.status, 0);
    done.output = std::move(kept_);
    return done;
  }

 private:
  /// One that doesn't read is judged by its exit.
  Result<void> feed() {
    const ssize_t n = ::write(input_.get(), rest_.data(), rest_.size());
    if (n >= 0)
      rest_.remove_prefix(static_cast<std::size_t>(n));
    else if (errno == EPIPE)
      rest_ = {};
    else if (errno != EAGAIN && errno != EINTR)
      return fail(Errc::io, "write to the command: {}", std::strerror(errno));
    return {};
  }

  void drain() {
    std::array<char, 4096> buffer{};
    for (int turns = 0; output_ && turns < 64; ++turns) {
      const ssize_t n = ::read(output_.get(), buffer.data(), buffer.size());
      if (n < 0) return;
      if (n == 0) return output_.reset();
      const auto room = most_output_ - std::min(most_output_, kept_.size());
      kept_.append(buffer.data(), std::min(static_cast<std::size_t>(n), room));
    }
  }

  pid_t pid_;
  Fd handle_;
  Fd input_;
  Fd output_;
  std::string_view rest_;
  std::string kept_;
  std::size_t most_output_;
  std::int64_t deadline_;
};

}  // namespace

Result<ChildEnd> run_child(const ChildPlan& plan) {
  Pipe input = TRY(make_pipe());
  Pipe output = TRY(make_pipe());
  const auto words = pointers_to(plan.words);
  const auto environment =
      plan.environment != nullptr ? pointers_to(*plan.environment) : std::vector<char*>();
  const Spawn spawn(input.out.get(), output.in.get());
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, words[0], &spawn.files, &spawn.attributes, words.data(),
                                  plan.environment != nullptr ? environment.data() : ::environ);
  if (error != 0) return fail(Errc::unavailable, "{}: {}", plan.words[0], std::strerror(error));
  // Its own ends only: else one that stops reading would leave us waiting for room in the pipe.
  input.out.reset();
  output.in.reset();
  return Child(pid, std::move(input.in), std::move(output.out), plan).end();
}

}  // namespace postern::site
