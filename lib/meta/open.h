// The metadata for this process, as the configuration says.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/config/config.h"
#include "lib/meta/meta.h"

namespace postern::meta {

/// The option meta.socket, or its standard place.
std::string socket_path(const config::Config& config);

/// A client of metad, for daemons. Connects at its first use: call after fork.
std::unique_ptr<Meta> connect_meta(const config::Config& config);

/// For tools: a client if metad answers, else the home itself, under its lock.
/// @error in_use       another tool holds the home
/// @error unavailable  metad holds it and doesn't answer
Result<std::unique_ptr<Meta>> open_meta(const config::Config& config, std::string_view purpose);

}  // namespace postern::meta
