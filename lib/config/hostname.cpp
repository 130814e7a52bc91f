#include "lib/config/hostname.h"

#include <unistd.h>

namespace postern::config {

std::string hostname_of(const Config& config) {
  if (auto name = config.text("server.hostname"); !name.empty()) return name;
  char name[256] = "localhost";
  ::gethostname(name, sizeof name - 1);
  return name;
}

}  // namespace postern::config
