#include "sieve/site/submit.h"

#include "lib/base/text.h"

namespace postern::site {
namespace {

class NoSubmitter : public Submitter {
 public:
  Result<void> submit(const Submission&) override {
    return fail(Errc::unavailable, "sieve.submission names no MTA");
  }
  [[nodiscard]] bool configured() const override { return false; }
};

}  // namespace

Result<std::unique_ptr<Submitter>> make_submitter(std::string_view where, std::string hostname) {
  if (where.empty()) return std::unique_ptr<Submitter>(std::make_unique<NoSubmitter>());
  if (where.starts_with("smtp://")) return make_smtp_submitter(where, std::move(hostname));
  constexpr std::string_view kCommand = "sendmail:";
  if (!where.starts_with(kCommand) || where.substr(kCommand.size(), 1) != "/")
    return fail(Errc::bad_syntax,
                "sieve.submission: \"{}\" is neither smtp://HOST:PORT nor sendmail:/path", where);
  std::vector<std::string> words;
  for (const auto word : split(where.substr(kCommand.size()), ' '))
    if (!word.empty()) words.emplace_back(word);
  return make_command_submitter(std::move(words));
}

}  // namespace postern::site
