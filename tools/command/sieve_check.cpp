// postern sieve check: compiles scripts and tells what is wrong with them.
#include <fmt/format.h>
#include <sysexits.h>

#include "lib/base/fd.h"
#include "sieve/sieve.h"
#include "tools/command/commands.h"
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

Result<int> sieve_check(const Arguments& arguments, Context&) {
  int status = EX_OK;
  for (const auto& script : arguments.list("script")) {
    const int one = check_file(script, {});
    if (status == EX_OK) status = one;
  }
  return status;
}

}  // namespace postern::tools
