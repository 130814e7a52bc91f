// Submission through a command that takes sendmail's options and the message on standard input.
#include <sys/wait.h>
#include <sysexits.h>

#include <chrono>

#include "sieve/site/child.h"
#include "sieve/site/submit.h"

namespace postern::site {
namespace {

constexpr std::chrono::seconds kLimit{30};

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

class CommandSubmitter : public Submitter {
 public:
  explicit CommandSubmitter(std::vector<std::string> words) : words_(std::move(words)) {}

  Result<void> submit(const Submission& mail) override {
    // sendmail takes the line ends of this system.
    std::string lines;
    lines.reserve(mail.message.size());
    for (std::size_t i = 0; i < mail.message.size(); ++i)
      if (mail.message[i] != '\r' || mail.message.compare(i + 1, 1, "\n") != 0)
        lines += mail.message[i];
    ChildPlan plan;
    plan.words = words_of(mail);
    plan.input = lines;
    plan.limit = kLimit;
    return result_of(words_[0], TRY(run_child(plan)).status);
  }

 private:
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
