// An outcome as text, one line for each action: what a case expects.
#pragma once

#include <string>

#include "sieve/sieve.h"

namespace postern::sieve {

std::string describe(const Outcome& outcome);
std::string describe(const Diagnostics& diagnostics);

}  // namespace postern::sieve
