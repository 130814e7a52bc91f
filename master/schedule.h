// When events are due: each so many seconds, or at a time of day.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "lib/base/result.h"

namespace postern::master {

struct TimeOfDay {
  int hour = 0;
  int minute = 0;
  /// "03:30". @error bad_syntax
  static Result<TimeOfDay> parse(std::string_view text);
};

/// The first moment after `now` (seconds UTC) at which the local clock shows `time`. On the day of
/// a change of the clock the system's mktime decides.
std::int64_t next_time_of_day(TimeOfDay time, std::int64_t now);

}  // namespace postern::master
