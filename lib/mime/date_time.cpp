// RFC 5322 §3.3 and §4.3; also the order of ctime, which some software writes.
#include "lib/mime/date_time.h"

#include <fmt/format.h>

#include <array>
#include <chrono>

#include "lib/base/text.h"
#include "lib/mime/lexer.h"

namespace postern::mime {
namespace {

constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

struct Zone {
  std::string_view name;
  int hours;
};
constexpr std::array kZones{
    Zone{"UT", 0},   Zone{"GMT", 0},  Zone{"UTC", 0},  Zone{"Z", 0},
    Zone{"EST", -5}, Zone{"EDT", -4}, Zone{"CST", -6}, Zone{"CDT", -5},
    Zone{"MST", -7}, Zone{"MDT", -6}, Zone{"PST", -8}, Zone{"PDT", -7},
};

constexpr std::int64_t kMinutesPerDay = 24 * 60;
constexpr std::int64_t kSecondsPerDay = kMinutesPerDay * 60;

class DateParser {
 public:
  explicit DateParser(std::string_view value) : in_(value) {}

  std::optional<DateTime> run() {
    skip_day_name();
    const bool ctime_order = ascii_alpha(in_.peek());
    const bool date = ctime_order ? month() && number(day_, 2) : number(day_, 2) && month();
    if (!date) return std::nullopt;
    if (ctime_order) {
      if (!time_of_day() || !year()) return std::nullopt;
      return result();
    }
    if (!year() || !time_of_day()) return std::nullopt;
    zone();
    return result();
  }

 private:
  // Dates like 20-Jan-2002 are common in old mail.
  void skip_separators() {
    in_.skip_cfws();
    while (in_.take('-') || in_.take(',')) in_.skip_cfws();
  }

  // "Mon", "Monday", any word before a comma; but not a month, which ctime's day name precedes.
  void skip_day_name() {
    in_.skip_cfws();
    if (!ascii_alpha(in_.peek())) return;
    Lexer ahead = in_;
    const std::string_view name = ahead.word(",0123456789(");
    if (month_number(name) != 0 && !ahead.looking_at(',')) return;
    in_ = ahead;
    in_.take('.');
    skip_separators();
  }

  static unsigned month_number(std::string_view name) {
    for (unsigned i = 0; i < kMonths.size(); ++i)
      if (istarts_with(name, kMonths[i])) return i + 1;
    return 0;
  }

  bool number(int& out, int max_digits) {
    in_.skip_cfws();
    int digits = 0;
    for (out = 0; ascii_digit(in_.peek()) && digits < max_digits; ++digits) {
      out = out * 10 + (in_.peek() - '0');
      in_.skip();
    }
    return digits > 0 && !ascii_digit(in_.peek());
  }

  bool month() {
    skip_separators();
    month_ = month_number(in_.word("-,(.0123456789"));
    in_.take('.');
    skip_separators();
    return month_ != 0;
  }

  // Two digits: 00 to 49 are 2000 to 2049; three digits count from 1900 (RFC 5322 §4.3).
  bool year() {
    skip_separators();
    const std::size_t begin = in_.offset();
    if (!number(year_, 4)) return false;
    const std::size_t digits = in_.from(begin).size();
    if (digits == 2 && year_ < 50) year_ += 2000;
    if (digits <= 3 && year_ < 1000) year_ += 1900;
    return year_ >= 1900;
  }

  bool time_of_day() {
    if (!number(hour_, 2)) return false;
    in_.skip_cfws();
    if (!in_.take(':') || !number(minute_, 2)) return false;
    Lexer ahead = in_;
    ahead.skip_cfws();
    if (ahead.take(':')) {
      in_ = ahead;
      if (!number(second_, 2)) return false;
      if (in_.take('.')) in_.word("+-(");  // a fraction
    }
    if (second_ == 60) second_ = 59;
    return hour_ < 24 && minute_ < 60 && second_ < 60;
  }

  void zone() {
    in_.skip_cfws();
    const char sign = in_.peek();
    if (sign == '+' || sign == '-') {
      in_.skip();
      return numeric_zone(sign == '-');
    }
    const std::string_view name = in_.word("(,;+-");
    for (const Zone& known : kZones) {
      if (!iequals(name, known.name)) continue;
      zone_minutes_ = known.hours * 60;
      zone_known_ = true;
    }
  }

  // "-0000": the time is UTC and says nothing of the place (RFC 5322 §3.3).
  void numeric_zone(bool west) {
    int hours = 0;
    int minutes = 0;
    if (!two_digits(hours)) return;
    in_.take(':');
    if (!two_digits(minutes) || hours > 23 || minutes > 59) return;
    zone_minutes_ = (hours * 60 + minutes) * (west ? -1 : 1);
    zone_known_ = !west || zone_minutes_ != 0;
  }

  bool two_digits(int& out) {
    for (int i = 0; i < 2; ++i) {
      if (!ascii_digit(in_.peek())) return false;
      out = out * 10 + (in_.peek() - '0');
      in_.skip();
    }
    return true;
  }

  [[nodiscard]] std::optional<DateTime> result() const {
    namespace chrono = std::chrono;
    const chrono::year_month_day date{chrono::year(year_), chrono::month(month_),
                                      chrono::day(static_cast<unsigned>(day_))};
    if (!date.ok()) return std::nullopt;
    const std::int64_t days = chrono::sys_days(date).time_since_epoch().count();
    const std::int64_t minutes = days * kMinutesPerDay + hour_ * 60 + minute_ - zone_minutes_;
    return DateTime{minutes * 60 + second_, static_cast<std::int16_t>(zone_minutes_), zone_known_};
  }

  Lexer in_;
  unsigned month_ = 0;
  int year_ = 0;
  int day_ = 0;
  int hour_ = 0;
  int minute_ = 0;
  int second_ = 0;
  int zone_minutes_ = 0;
  bool zone_known_ = false;
};

std::int64_t floor_divide(std::int64_t value, std::int64_t by) {
  return value / by - (value % by < 0 ? 1 : 0);
}

}  // namespace

std::int64_t DateTime::local_day() const {
  return floor_divide(utc_seconds + zone_minutes * std::int64_t{60}, kSecondsPerDay);
}

std::optional<DateTime> parse_date_time(std::string_view value) { return DateParser(value).run(); }

std::string format_date_time(const DateTime& when) {
  namespace chrono = std::chrono;
  const std::int64_t day = when.local_day();
  const std::int64_t second =
      when.utc_seconds + when.zone_minutes * std::int64_t{60} - day * kSecondsPerDay;
  const chrono::sys_days days{chrono::days(day)};
  const chrono::year_month_day date{days};
  const int zone = when.zone_minutes < 0 ? -when.zone_minutes : when.zone_minutes;
  const bool west = when.zone_minutes < 0 || !when.zone_known;
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} {}{:02}{:02}",
                     kDays[chrono::weekday(days).c_encoding()], static_cast<unsigned>(date.day()),
                     kMonths[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), second / 3600, second / 60 % 60, second % 60,
                     west ? '-' : '+', zone / 60, zone % 60);
}

}  // namespace postern::mime
