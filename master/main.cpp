// master: starts and supervises the suite. Usage: master [--config PATH] [--set key=value]…
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

#include <cstdio>

#include "lib/service/inherited.h"
#include "master/supervisor.h"

namespace postern::master {
namespace {

Result<int> start(int argc, char** argv) {
  auto arguments = TRY(service::parse_arguments(argc, argv));
  if (!arguments.rest.empty())
    return fail(Errc::bad_syntax, "unknown argument '{}' (--config PATH, --set key=value)",
                arguments.rest.front());
  auto config = TRY(service::load_config(arguments, "master"));
  setsid();                          // fails where we lead a group already, which serves as well
  prctl(PR_SET_CHILD_SUBREAPER, 1);  // workers outlive their fork server
  Supervisor supervisor(std::move(arguments), std::move(config));
  TRY(supervisor.prepare());
  return supervisor.run();
}

int exit_code(Errc code) {
  switch (code) {
    case Errc::bad_syntax:
      return EX_CONFIG;
    case Errc::no_such_user:
      return EX_NOUSER;
    case Errc::in_use:
      return EX_TEMPFAIL;
    default:
      return EX_OSERR;
  }
}

}  // namespace
}  // namespace postern::master

int main(int argc, char** argv) {
  const auto code = postern::master::start(argc, argv);
  if (code) return *code;
  std::fprintf(stderr, "master: %s\n", code.error().text.c_str());
  return postern::master::exit_code(code.error().code);
}
