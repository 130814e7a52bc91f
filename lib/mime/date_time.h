// The date-time of RFC 5322 §3.3, with the obsolete zones and years of §4.3.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::mime {

struct DateTime {
  std::int64_t utc_seconds = 0;   // since 1970-01-01
  std::int16_t zone_minutes = 0;  // east of Greenwich; -1439..1439
  bool zone_known = true;         // false: "-0000", a military zone, an unknown name or none

  /// Days since 1970-01-01 of the date as written, for SENTON and its like (RFC 3501 §6.4.4).
  [[nodiscard]] std::int64_t local_day() const;
  friend bool operator==(const DateTime&, const DateTime&) = default;
};

/// Day of week, comments and seconds are optional, white space is free; a leap second is 59.
/// Nothing if day, month, year or time are not there or out of range.
std::optional<DateTime> parse_date_time(std::string_view value);

/// "Mon, 01 Jan 2024 00:00:00 +0100"
std::string format_date_time(const DateTime& when);

}  // namespace postern::mime
