// Dates as the date test sees them (RFC 5260 §4.2), and their ISO 8601 form (RFC 3339).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::sieve {

/// A moment in a zone, minutes east of Greenwich.
struct Moment {
  std::int64_t utc_seconds = 0;
  int zone_minutes = 0;
};

/// "year", "weekday", "iso8601" …; names are case-insensitive. Nothing for an unknown part.
std::optional<std::string> date_part(const Moment& moment, std::string_view part);
bool is_date_part(std::string_view part);

/// "+hhmm" or "-hhmm" as minutes.
std::optional<int> parse_zone(std::string_view text);

/// RFC 3339 date-time, as seconds since 1970 UTC.
std::optional<std::int64_t> parse_iso8601(std::string_view text);
std::string format_iso8601(std::int64_t utc_seconds, int zone_minutes);

}  // namespace postern::sieve
