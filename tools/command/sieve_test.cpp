// postern sieve test: runs a script on a message without effects and prints what would be done.
#include <fmt/format.h>
#include <sysexits.h>

#include <algorithm>
#include <ctime>

#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/text.h"
#include "sieve/sieve.h"
#include "tools/command/commands.h"
#include "tools/sieve_report.h"
#include "tools/stored_message.h"

namespace postern::tools {
namespace {

struct Options {
  std::string script;
  std::string message;
  std::optional<std::string> envelope_from;
  std::string envelope_to;
  std::string user;
  std::vector<std::string> mailboxes;
  bool trace = false;
  bool json = false;
};

/// The world of a dry run: the clock is real, scripts to include stand beside the script, the
/// mailboxes are those named on the command line, nothing was seen or answered before.
class DryHost : public sieve::Host {
 public:
  explicit DryHost(const Options& options) : options_(options) {}

  std::int64_t now() override { return wall_seconds(); }
  int zone_minutes(std::int64_t at) override {
    std::tm local{};
    const auto time = static_cast<std::time_t>(at);
    localtime_r(&time, &local);
    return static_cast<int>(local.tm_gmtoff / 60);
  }
  Result<bool> mailbox_exists(std::string_view name) override {
    return iequals(name, "INBOX") ||
           std::ranges::find(options_.mailboxes, name) != options_.mailboxes.end();
  }
  Result<std::optional<std::string>> script(sieve::Location, std::string_view name) override {
    const auto slash = options_.script.rfind('/');
    const std::string folder =
        slash == std::string::npos ? "" : options_.script.substr(0, slash + 1);
    for (const std::string_view suffix : {".sieve", ""})
      if (auto text = read_file(fmt::format("{}{}{}", folder, name, suffix)))
        return std::optional(std::move(*text));
    return std::optional<std::string>();
  }
  const sieve::ScoreSource& spam_source() override { return spam_; }
  bool tracing() override { return options_.trace; }
  void trace(std::uint32_t line, std::string_view text) override {
    fmt::print(stderr, "{}:{}: {}\n", options_.script, line, text);
  }

 private:
  const Options& options_;
  const sieve::ScoreSource spam_ = [] {
    sieve::ScoreSource source;
    source.score.field = "X-Spam-Score";
    return source;
  }();
};

Result<std::string> read_message(const std::string& path) {
  if (path.empty() || path == "-") return read_standard_input();
  return read_file(path, 1U << 30);
}

sieve::EnvelopeView envelope_of(const Options& options, std::string_view message) {
  sieve::EnvelopeView envelope = stored_envelope(message);
  if (options.envelope_from)
    envelope.from = options.envelope_from == "<>" ? "" : options.envelope_from;
  if (!options.envelope_to.empty())
    envelope.to = options.envelope_to;
  else if (!options.user.empty())
    envelope.to = options.user;
  return envelope;
}

int run_test(const Options& options) {
  const auto text = read_file(options.script);
  const auto message = read_message(options.message);
  if (!text || !message) {
    fmt::print(stderr, "{}\n", (text ? message : text).error().text);
    return EX_NOINPUT;
  }
  sieve::Diagnostics diagnostics;
  const auto script = sieve::compile(*text, {}, diagnostics);
  if (!script) {
    print_diagnostics(options.script, diagnostics);
    return EX_DATAERR;
  }
  DryHost host(options);
  const auto outcome = sieve::run(*script, {*message, envelope_of(options, *message)}, host, {});
  for (const auto& line : options.json ? json_lines(outcome) : text_lines(outcome))
    fmt::print("{}\n", line);
  return EX_OK;
}

}  // namespace

Result<int> sieve_test(const Arguments& arguments, Context&) {
  Options options;
  options.script = arguments.text("script");
  options.message = arguments.text("--message");
  if (arguments.has("--envelope-from")) options.envelope_from = arguments.text("--envelope-from");
  options.envelope_to = arguments.text("--envelope-to");
  options.user = arguments.text("--user");
  for (const auto name : split(arguments.text("--mailboxes"), ','))
    options.mailboxes.emplace_back(name);
  options.trace = arguments.has("--trace");
  options.json = arguments.has("--json");
  return run_test(options);
}

}  // namespace postern::tools
