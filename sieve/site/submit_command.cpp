// Submission through a command that takes sendmail's options and the message on standard input.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "sieve/site/submit.h"

namespace postern::site {
namespace {

constexpr std::int64_t kLimit = 30'000;  // milliseconds

/// The command's exit: what will be the same with the next try is final.
Result<void> result_of(const std::string& command, int status) {
  if (!WIFEXITED(status))
    return fail(Errc::unavailable, "{}: ended by signal {}", command, WTERMSIG(status));
  switch (const int code = WEXITSTATUS(status)) {
    case EX_OK:
      return {};
    case EX_NOUSER:
    case EX_NOHOST:
    case EX_DATAERR:
    case EX_NOPERM:
      return fail(Errc::no_permission, "{}: exit {}", command, code);
    default:
      return fail(Errc::unavailable, "{}: exit {}", command, code);
  }
}

/// The command while it runs; killed if it is left before its end.
class Child {
 public:
  Child(pid_t pid, Fd input) : pid_(pid), input_(std::move(input)) {
    handle_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  /// A command that ends before it has read everything is judged by its exit.
  Result<void> feed(std::string_view text, std::int64_t deadline) {
    while (!text.empty()) {
      TRY(await(input_.get(), POLLOUT, deadline));
      const ssize_t n = ::write(input_.get(), text.data(), text.size());
      if (n >= 0)
        text.remove_prefix(static_cast<std::size_t>(n));
      else if (errno == EPIPE)
        break;
      else if (errno != EAGAIN && errno != EINTR)
        return fail(Errc::io, "write to the command: {}", std::strerror(errno));
    }
    input_.reset();
    return {};
  }

  Result<int> end(std::int64_t deadline) {
    TRY(await(handle_.get(), POLLIN, deadline));
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return status;
  }

 private:
  static Result<void> await(int fd, short events, std::int64_t deadline) {
    pollfd item{fd, events, 0};
    for (;;) {
      const auto left = std::max<std::int64_t>(deadline - steady_millis(), 0);
      const int ready = ::poll(&item, 1, static_cast<int>(left));
      if (ready > 0) return {};
      if (ready == 0) return fail(Errc::timed_out, "the command took too long");
      if (errno != EINTR) return fail(Errc::io, "poll: {}", std::strerror(errno));
    }
  }

  pid_t pid_;
  Fd input_;
  Fd handle_;
};

struct SpawnPlan {
  posix_spawn_file_actions_t files{};
  posix_spawnattr_t attributes{};
  /// The worker's signal dispositions are not for others.
  explicit SpawnPlan(int input) {
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_init(&attributes);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    for (const int signal : {SIGPIPE, SIGHUP, SIGTERM, SIGINT}) sigaddset(&signals, signal);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
};

class CommandSubmitter : public Submitter {
 public:
  explicit CommandSubmitter(std::vector<std::string> words) : words_(std::move(words)) {}

  Result<void> submit(const Submission& mail) override {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail(Errc::io, "pipe: {}", std::strerror(errno));
    Fd output(ends[0]);
    Fd input(ends[1]);
    ::fcntl(input.get(), F_SETFL, O_NONBLOCK);
    auto words = words_of(mail);
    std::vector<char*> pointers;
    for (auto& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    const SpawnPlan plan(output.get());
    pid_t pid = 0;
    const int error =
        ::posix_spawn(&pid, pointers[0], &plan.files, &plan.attributes, pointers.data(), environ);
    output.reset();  // or a command that ends early would leave us waiting for room in the pipe
    if (error != 0) return fail(Errc::unavailable, "{}: {}", words_[0], std::strerror(error));
    return wait_for(pid, std::move(input), mail.message);
  }

 private:
  /// The command's exit decides, and it may have ended before it read everything.
  [[nodiscard]] Result<void> wait_for(pid_t pid, Fd input, std::string_view text) const {
    const std::int64_t deadline = steady_millis() + kLimit;
    Child child(pid, std::move(input));
    // sendmail takes the line ends of this system.
    std::string lines;
    lines.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i)
      if (text[i] != '\r' || text.substr(i + 1, 1) != "\n") lines += text[i];
    TRY(child.feed(lines, deadline));
    return result_of(words_[0], TRY(child.end(deadline)));
  }

  [[nodiscard]] std::vector<std::string> words_of(const Submission& mail) const {
    std::vector<std::string> words = words_;
    // -i: a line with a single dot is text.
    words.insert(words.end(), {"-i", "-f", mail.sender});
    if (!mail.options.notify.empty()) words.insert(words.end(), {"-N", mail.options.notify});
    if (!mail.options.ret.empty()) words.insert(words.end(), {"-R", mail.options.ret});
    words.emplace_back("--");
    words.insert(words.end(), mail.recipients.begin(), mail.recipients.end());
    return words;
  }

  std::vector<std::string> words_;
};

}  // namespace

std::unique_ptr<Submitter> make_command_submitter(std::vector<std::string> words) {
  return std::make_unique<CommandSubmitter>(std::move(words));
}

}  // namespace postern::site
