// Parses a script by the grammar of RFC 5228 §8.2; knows no command's meaning.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "sieve/diagnostic.h"
#include "sieve/limits.h"
#include "sieve/syntax.h"

namespace postern::sieve {

/// @return  the commands of the script, or nothing when there is a syntax error, which is then in
///          `diagnostics` (the first one only: what follows a syntax error is guesswork)
std::optional<std::vector<Node>> parse(std::string_view script, const Limits& limits,
                                       Diagnostics& diagnostics);

}  // namespace postern::sieve
