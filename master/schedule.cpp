#include "master/schedule.h"

#include <ctime>

#include "lib/base/text.h"

namespace postern::master {

Result<TimeOfDay> TimeOfDay::parse(std::string_view text) {
  const auto colon = text.find(':');
  const std::uint32_t hour = parse_u32(text.substr(0, colon)).value_or(99);
  const std::uint32_t minute =
      colon == std::string_view::npos ? 99 : parse_u32(text.substr(colon + 1)).value_or(99);
  if (hour > 23 || minute > 59)
    return fail(Errc::bad_syntax, "'{}' is no time of day such as 03:30", text);
  return TimeOfDay{static_cast<int>(hour), static_cast<int>(minute)};
}

std::int64_t next_time_of_day(TimeOfDay time, std::int64_t now) {
  const std::time_t from = now;
  std::tm local{};
  localtime_r(&from, &local);
  local.tm_hour = time.hour;
  local.tm_min = time.minute;
  local.tm_sec = 0;
  local.tm_isdst = -1;
  std::tm tomorrow = local;
  const std::time_t today = std::mktime(&local);
  if (today > from) return today;
  tomorrow.tm_mday += 1;
  return std::mktime(&tomorrow);
}

}  // namespace postern::master
