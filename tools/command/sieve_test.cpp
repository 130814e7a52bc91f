// postern sieve test: runs a script on a message without effects and prints what would be done.
#include <fmt/format.h>
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/text.h"
#include "lib/mime/address.h"
#include "lib/mime/message.h"
#include "sieve/sieve.h"
#include "tools/command/commands.h"
#include "tools/sieve_report.h"

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
  sieve::ScoreSource spam_source() override {
    sieve::ScoreSource source;
    source.field = "X-Spam-Score";
    return source;
  }
  bool tracing() override { return options_.trace; }
  void trace(std::uint32_t line, std::string_view text) override {
    fmt::print(stderr, "{}:{}: {}\n", options_.script, line, text);
  }

 private:
  const Options& options_;
};

Result<std::string> read_standard_input() {
  std::string out;
  if (isatty(STDIN_FILENO) != 0) return out;
  char buffer[65'536];
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (got < 0) return errno_error("read", "standard input");
    if (got == 0) return out;
    out.append(buffer, static_cast<std::size_t>(got));
  }
}

Result<std::string> read_message(const std::string& path) {
  if (path.empty() || path == "-") return read_standard_input();
  return read_file(path, 1U << 30);
}

// A stored message tells its envelope sender in Return-Path (RFC 5321 §4.4).
std::optional<std::string> return_path(std::string_view message) {
  for (const auto& field : mime::scan_header(message).fields) {
    if (!iequals(field.name.of(message), "Return-Path")) continue;
    const auto list = mime::parse_address_list(field.value.of(message), 16);
    return list.empty() ? std::string() : list.front().addr_spec();
  }
  return std::nullopt;
}

sieve::EnvelopeView envelope_of(const Options& options, std::string_view message) {
  sieve::EnvelopeView envelope;
  envelope.from = options.envelope_from;
  if (envelope.from == "<>") envelope.from = "";
  if (!envelope.from) envelope.from = return_path(message);
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
