// Time comes in through this interface, so that tests never wait. All stored times are UTC.
#pragma once

#include <cstdint>

namespace postern {

/// Wall-clock time in microseconds since 1970-01-01 UTC. May step back: never decide order by it.
std::int64_t wall_micros();
/// The same in whole seconds.
std::int64_t wall_seconds();
/// Monotonic milliseconds (CLOCK_BOOTTIME), the same in all processes; for deadlines.
std::int64_t steady_millis();
std::int64_t steady_micros();

/// For tests: from now on the wall clock of this process stands at `micros`; 0 lets it run again.
void set_wall_micros_for_tests(std::int64_t micros);

}  // namespace postern
