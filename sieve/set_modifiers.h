// The modifiers of set and extracttext (RFC 5229 §4.1, RFC 5435 §6).
#pragma once

#include <string>

#include "sieve/code.h"

namespace postern::sieve {

/// Applies the modifiers among the code's tags, highest precedence first.
std::string modify(const Code& code, std::string value);

}  // namespace postern::sieve
