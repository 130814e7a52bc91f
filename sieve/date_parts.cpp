// Calendar arithmetic with <chrono>, for all years of RFC 5322.
#include "sieve/date_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "lib/base/text.h"
#include "lib/mime/date_time.h"

namespace postern::sieve {
namespace {

using namespace std::chrono;

struct Local {
  year_month_day date;
  std::int64_t seconds = 0;  // of the day
  sys_days day;
};

Local local_of(const Moment& moment) {
  const seconds local{moment.utc_seconds + moment.zone_minutes * 60LL};
  const sys_days day = floor<days>(sys_seconds(local));
  return {year_month_day(day), (sys_seconds(local) - day).count(), day};
}

std::string zone_text(int minutes, std::string_view between) {
  const int size = std::abs(minutes);
  return fmt::format("{}{:02}{}{:02}", minutes < 0 ? '-' : '+', size / 60, between, size % 60);
}

std::string date_text(const Local& local) {
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(local.date.year()),
                     static_cast<unsigned>(local.date.month()),
                     static_cast<unsigned>(local.date.day()));
}

std::string time_text(const Local& local) {
  return fmt::format("{:02}:{:02}:{:02}", local.seconds / 3600, local.seconds / 60 % 60,
                     local.seconds % 60);
}

// The Modified Julian Day (RFC 5260 §4.2): days since 1858-11-17.
constexpr std::int64_t kMjdOfEpoch = 40'587;

using Format = std::string (*)(const Moment&, const Local&);
struct PartRow {
  std::string_view name;
  Format format;
};
constexpr std::array kParts{
    PartRow{"year",
            [](const Moment&, const Local& l) {
              return fmt::format("{:04}", static_cast<int>(l.date.year()));
            }},
    PartRow{"month",
            [](const Moment&, const Local& l) {
              return fmt::format("{:02}", static_cast<unsigned>(l.date.month()));
            }},
    PartRow{"day",
            [](const Moment&, const Local& l) {
              return fmt::format("{:02}", static_cast<unsigned>(l.date.day()));
            }},
    PartRow{"date", [](const Moment&, const Local& l) { return date_text(l); }},
    PartRow{"julian",
            [](const Moment&, const Local& l) {
              return fmt::format("{}", l.day.time_since_epoch().count() + kMjdOfEpoch);
            }},
    PartRow{"hour",
            [](const Moment&, const Local& l) { return fmt::format("{:02}", l.seconds / 3600); }},
    PartRow{"minute", [](const Moment&,
                         const Local& l) { return fmt::format("{:02}", l.seconds / 60 % 60); }},
    PartRow{"second",
            [](const Moment&, const Local& l) { return fmt::format("{:02}", l.seconds % 60); }},
    PartRow{"time", [](const Moment&, const Local& l) { return time_text(l); }},
    PartRow{"iso8601", [](const Moment& m,
                          const Local&) { return format_iso8601(m.utc_seconds, m.zone_minutes); }},
    PartRow{"std11",
            [](const Moment& m, const Local&) {
              return mime::format_date_time(
                  {m.utc_seconds, static_cast<std::int16_t>(m.zone_minutes), true});
            }},
    PartRow{"zone", [](const Moment& m, const Local&) { return zone_text(m.zone_minutes, ""); }},
    PartRow{"weekday",
            [](const Moment&, const Local& l) {
              return fmt::format("{}", weekday(l.day).c_encoding());
            }},
};

std::optional<int> number_at(std::string_view text, std::size_t at, std::size_t digits) {
  if (at + digits > text.size()) return std::nullopt;
  const auto value = parse_u32(text.substr(at, digits));
  return value ? std::optional(static_cast<int>(*value)) : std::nullopt;
}

// "Z", "+hh:mm" or "-hh:mm"
std::optional<int> parse_iso_zone(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  if (const auto zone = parse_zone(text))
    return zone;  // without the colon: RFC 6009 §6 writes it so
  if (text.size() != 6 || text[3] != ':') return std::nullopt;
  return parse_zone(std::string(text.substr(0, 3)).append(text.substr(4)));
}

}  // namespace

std::optional<std::string> date_part(const Moment& moment, std::string_view part) {
  const auto row =
      std::ranges::find_if(kParts, [&](const PartRow& r) { return iequals(r.name, part); });
  if (row == kParts.end()) return std::nullopt;
  return row->format(moment, local_of(moment));
}

bool is_date_part(std::string_view part) {
  return std::ranges::any_of(kParts, [&](const PartRow& r) { return iequals(r.name, part); });
}

std::optional<int> parse_zone(std::string_view text) {
  if (text.size() != 5 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const auto hours = number_at(text, 1, 2);
  const auto minutes = number_at(text, 3, 2);
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const int total = *hours * 60 + *minutes;
  return text[0] == '-' ? -total : total;
}

std::optional<std::int64_t> parse_iso8601(std::string_view text) {
  const auto y = number_at(text, 0, 4);
  const auto mo = number_at(text, 5, 2);
  const auto d = number_at(text, 8, 2);
  const auto h = number_at(text, 11, 2);
  const auto mi = number_at(text, 14, 2);
  const auto s = number_at(text, 17, 2);
  if (!y || !mo || !d || !h || !mi || !s || text[4] != '-' || text[7] != '-' ||
      ascii_upper(text[10]) != 'T' || text[13] != ':' || text[16] != ':')
    return std::nullopt;
  std::size_t at = 19;
  if (at < text.size() && text[at] == '.')
    for (++at; at < text.size() && ascii_digit(text[at]);) ++at;
  const auto zone = parse_iso_zone(text.substr(at));
  const year_month_day date{year(*y), month(static_cast<unsigned>(*mo)),
                            day(static_cast<unsigned>(*d))};
  if (!zone || !date.ok() || *h > 23 || *mi > 59 || *s > 60) return std::nullopt;
  const auto midnight = seconds(sys_days(date).time_since_epoch()).count();
  return midnight + *h * 3600 + *mi * 60 + *s - *zone * 60;
}

std::string format_iso8601(std::int64_t utc_seconds, int zone_minutes) {
  const Local local = local_of({utc_seconds, zone_minutes});
  return fmt::format("{}T{}{}", date_text(local), time_text(local), zone_text(zone_minutes, ":"));
}

}  // namespace postern::sieve
