// Flags as scripts name them (RFC 5232), as the store takes them.
#pragma once

#include <string>
#include <vector>

#include "lib/store/types.h"

namespace postern::site {

/// Names in any case; system flags that the store doesn't know are left out.
store::NamedFlags named_flags(const std::vector<std::string>& names);

}  // namespace postern::site
