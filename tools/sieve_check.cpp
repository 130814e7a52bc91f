// postern sieve check: compiles scripts and tells what is wrong with them.
#include <fmt/format.h>
#include <sysexits.h>

#include <CLI/CLI.hpp>

#include "lib/base/fd.h"
#include "sieve/sieve.h"
#include "tools/sieve_commands.h"
#include "tools/sieve_report.h"

namespace postern::tools {
namespace {

int check_file(const std::string& path, const sieve::Environment& environment) {
  const auto text = read_file(path);
  if (!text) {
    fmt::print(stderr, "{}\n", text.error().text);
    return EX_NOINPUT;
  }
  sieve::Diagnostics diagnostics;
  const auto script = sieve::compile(*text, environment, diagnostics);
  print_diagnostics(path, diagnostics);
  return script ? EX_OK : EX_DATAERR;
}

}  // namespace

int sieve_check(int argc, char** argv) {
  CLI::App app("Checks Sieve scripts; errors are printed as file:line:column: text.",
               "postern sieve check");
  std::vector<std::string> scripts;
  app.add_option("SCRIPT", scripts, "scripts to check")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? EX_OK : EX_USAGE;
  }
  int status = EX_OK;
  for (const auto& script : scripts) {
    const int one = check_file(script, {});
    if (status == EX_OK) status = one;
  }
  return status;
}

}  // namespace postern::tools
