// postern-sieve: the Sieve commands that need no server, as a program of their own.
#include <fmt/format.h>
#include <sysexits.h>

#include <string_view>

#include "tools/sieve_commands.h"

int main(int argc, char** argv) {
  const std::string_view command = argc > 1 ? argv[1] : "";
  if (command == "check") return postern::tools::sieve_check(argc - 1, argv + 1);
  if (command == "test") return postern::tools::sieve_test(argc - 1, argv + 1);
  fmt::print(stderr,
             "usage: postern-sieve check SCRIPT...\n       postern-sieve test [--message "
             "FILE] [--envelope-from A] [--envelope-to A] [--user U] [--trace] [--json] "
             "SCRIPT\n");
  return EX_USAGE;
}
