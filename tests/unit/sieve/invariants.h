// What holds for every script and message; for the property tests and the fuzz targets.
#pragma once

#include <string_view>

namespace postern::sieve {

/// Compiles and runs; asserts that the run stayed within its limits, that an error ends in exactly
/// one implicit keep of the message as it came, and that without an error nothing but an explicit
/// action lost the mail.
/// @return  whether the script compiled
bool run_and_check(std::string_view script, std::string_view message);

}  // namespace postern::sieve
