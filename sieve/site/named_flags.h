// Flags as scripts name them (RFC 5232), as the store takes them.
#pragma once

#include <string>
#include <vector>

#include "lib/store/types.h"

namespace postern::site {

/// Names in any case; system flags that the store doesn't know are left out.
store::NamedFlags named_flags(const std::vector<std::string>& names);
/// The other way: the names of a message's flags, system flags first. `keywords`: the mailbox's.
std::vector<std::string> flag_names(const store::Flags& flags,
                                    const std::vector<std::string>& keywords);

}  // namespace postern::site
