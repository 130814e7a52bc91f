// A hash that stands for texts of any length in the keys of marks (lib/meta/meta.h).
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "lib/base/ids.h"

namespace postern::site {

/// SHA-256 of the parts, each behind its length so that they can't run into each other; in hex.
std::string digest_of(std::initializer_list<std::string_view> parts);

/// As the store will name a message of these octets (SHA-256).
Guid guid_of(std::string_view octets);

}  // namespace postern::site
