// The name that this server gives itself.
#pragma once

#include <string>

#include "lib/config/config.h"

namespace postern::config {

/// server.hostname, or what the system says.
std::string hostname_of(const Config& config);

}  // namespace postern::config
