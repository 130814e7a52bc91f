#include "sieve/site/programs.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "sieve/site/child.h"

namespace postern::site {
namespace {

constexpr std::size_t kMostOutput = 500;  // octets, for the log

/// What it printed, as one line.
std::string one_line(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return c >= 0 && c < ' '; }, ' ');
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

}  // namespace

Programs Programs::from(const config::Config& config) {
  Programs out;
  out.directory_ = config.text("sieve.program_directory");
  out.timeout_ = config.duration("sieve.program_timeout");
  return out;
}

// The engine has checked that the name is a plain file name.
Result<void> Programs::run(const sieve::Pipe& call, std::string_view message,
                           const Facts& facts) const {
  if (directory_.empty())
    return fail(Errc::no_such_object, "pipe \"{}\": sieve.program_directory isn't set",
                call.program);
  const std::string path = directory_ + '/' + call.program;
  if (::access(path.c_str(), X_OK) != 0)
    return fail(Errc::no_such_object, "pipe \"{}\": no such program in {}", call.program,
                directory_);
  const std::vector<std::string> environment{"PATH=/usr/local/bin:/usr/bin:/bin",
                                             "LANG=C.UTF-8",
                                             "USER=" + facts.user,
                                             "SENDER=" + facts.sender,
                                             "RECIPIENT=" + facts.recipient,
                                             "HOST=" + facts.hostname};
  ChildPlan plan;
  plan.words.push_back(path);
  plan.words.insert(plan.words.end(), call.arguments.begin(), call.arguments.end());
  plan.environment = &environment;
  plan.input = message;
  plan.limit = timeout_;
  plan.most_output = kMostOutput;
  const ChildEnd end = TRY(run_child(plan));
  if (WIFEXITED(end.status) && WEXITSTATUS(end.status) == 0) return {};
  const std::string how = WIFEXITED(end.status) ? fmt::format("exit {}", WEXITSTATUS(end.status))
                                                : fmt::format("signal {}", WTERMSIG(end.status));
  return fail(Errc::io, "pipe \"{}\": {}: {}", call.program, how, one_line(end.output));
}

}  // namespace postern::site
