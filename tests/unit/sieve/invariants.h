// What holds for every script and message; for the property tests and the fuzz targets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postern::sieve {

/// What became of the message, the strongest of all actions.
enum class Fate : std::uint8_t {
  not_run,    // the script doesn't compile
  kept,       // in INBOX, a folder, or both
  sent_on,    // by redirect or pipe alone
  dropped,    // by discard or reject alone
  failed,     // an error: kept as it came
  over_limit  // the same, as the run took too many steps
};
constexpr std::size_t kFates = 6;

/// Compiles and runs; asserts that the run stayed within its limits, that an error ends in exactly
/// one implicit keep of the message as it came, and that otherwise the message is kept unless an
/// action that stands in the script takes it: one that files or sends with :copy isn't enough.
Fate run_and_check(std::string_view script, std::string_view message);

}  // namespace postern::sieve
