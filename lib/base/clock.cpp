#include "lib/base/clock.h"

#include <atomic>
#include <ctime>

namespace postern {
namespace {

std::atomic<std::int64_t> frozen_micros{0};

std::int64_t micros_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1'000;
}

}  // namespace

std::int64_t wall_micros() {
  const std::int64_t frozen = frozen_micros.load(std::memory_order_relaxed);
  return frozen != 0 ? frozen : micros_of(CLOCK_REALTIME);
}
std::int64_t wall_seconds() { return wall_micros() / 1'000'000; }
std::int64_t steady_micros() { return micros_of(CLOCK_BOOTTIME); }
std::int64_t steady_millis() { return steady_micros() / 1'000; }
void set_wall_micros_for_tests(std::int64_t micros) { frozen_micros.store(micros); }

}  // namespace postern
