#include "lib/service/exit_status.h"

#include <fmt/format.h>
#include <string.h>
#include <sys/wait.h>

namespace postern::service {

std::string describe_exit(int status) {
  if (WIFEXITED(status)) return fmt::format("exit {}", WEXITSTATUS(status));
  const int signal = WTERMSIG(status);
  return fmt::format("signal {} ({}){}", signal, strsignal(signal),
                     WCOREDUMP(status) ? ", core dumped" : "");
}

}  // namespace postern::service
