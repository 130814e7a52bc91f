// posternadm: cyradm-style administration over IMAP, as a shell or one command at a time.
#include <fmt/format.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "lib/base/fd.h"
#include "tools/adm/shell.h"
#include "tools/command.h"
#include "tools/password.h"

namespace postern::tools {
namespace {

struct Options {
  std::string server = "127.0.0.1";
  int port = 143;
  std::string user;
  std::string password_file;
  Words command;
};

Result<auth::Secret> password_of(const Options& options) {
  if (options.password_file.empty()) return read_password(options.user);
  const std::string text = TRY(read_file(options.password_file));
  return auth::Secret(std::string_view(text).substr(0, text.find_first_of("\r\n")));
}

Result<void> begin(AdmSession& session, const Options& options) {
  TRY(session.connect(options.server, static_cast<std::uint16_t>(options.port)));
  if (!options.user.empty()) TRY(session.login(options.user, TRY(password_of(options))));
  return {};
}

int run(const Options& options) {
  AdmSession session([](std::string_view line) { fmt::print("{}\n", line); });
  session.ask_password = [](std::string_view user) { return read_password(user); };
  const bool local = !options.command.empty() && options.command[0] == "help";
  auto done = local ? Result<void>() : begin(session, options);
  if (done && options.command.empty()) return interact(session);
  if (done) done = run_words(session, options.command);
  if (done) return session.exit_status.value_or(EX_OK);
  const std::string what = options.command.empty() ? "login" : options.command[0];
  fmt::print(stderr, "posternadm: {}: {}\n", what, done.error().text);
  return exit_status(done.error().code);
}

}  // namespace
}  // namespace postern::tools

int main(int argc, char** argv) {
  postern::tools::Options options;
  CLI::App app("Administration of a Postern mail server over IMAP. Without a command: a shell.",
               "posternadm");
  app.add_option("--server", options.server, "HOST, HOST:PORT or path of a Unix socket")
      ->capture_default_str();
  app.add_option("--port", options.port)->capture_default_str()->check(CLI::Range(1, 65535));
  app.add_option("--user", options.user, "an administrator");
  app.add_option("--password-file", options.password_file,
                 "its first line is the password; else it is asked for");
  // The first word that is no option begins the command; its own options stay with it.
  app.prefix_command();
  app.footer("posternadm [OPTIONS] COMMAND [ARGUMENTS]: one command; posternadm help lists them.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? EX_OK : EX_USAGE;
  }
  options.command = app.remaining();
  return postern::tools::run(options);
}
