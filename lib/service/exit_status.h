// How a child process ended, in words for the log.
#pragma once

#include <string>

namespace postern::service {

/// "exit 75", "signal 11 (Segmentation fault), core dumped". `status`: of waitpid.
std::string describe_exit(int status);

}  // namespace postern::service
