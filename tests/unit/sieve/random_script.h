// Scripts made at random from the tables of commands and tests: all of them, with all their tags.
#pragma once

#include <functional>
#include <string>

namespace postern::sieve {

/// A number from 0 to below `below`; what it gives decides the script.
using Choose = std::function<std::size_t(std::size_t below)>;

/// Nearly always valid; what isn't, the compiler refuses.
std::string random_script(const Choose& choose);

}  // namespace postern::sieve
