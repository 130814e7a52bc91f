// date and currentdate (RFC 5260 §4).
#include <fmt/format.h>

#include "lib/mime/date_time.h"
#include "sieve/date_parts.h"
#include "sieve/functions.h"
#include "sieve/select.h"

namespace postern::sieve {
namespace {

void check_part(Checker& checker, const Text& part) {
  if (!part.has_variables && !is_date_part(part.text))
    checker.error(part.at, fmt::format("\"{}\" is no date part: expected year, month, day, date, "
                                       "julian, hour, minute, second, time, iso8601, std11, zone "
                                       "or weekday",
                                       part.text));
}

// A field's date-time, or the one behind its last semicolon (Received).
std::optional<mime::DateTime> date_of(const Field& field) {
  const auto value = field.value();
  const auto semicolon = value.rfind(';');
  if (semicolon != std::string_view::npos)
    if (const auto date = mime::parse_date_time(value.substr(semicolon + 1))) return date;
  return mime::parse_date_time(value);
}

Result<bool> match_part(Run& run, const Code& code, const Moment& moment, std::size_t part) {
  const auto value = date_part(moment, run.arg_string(code, part));
  if (!value) return run.match(code, code.args.back(), {});
  return run.match(code, code.args.back(), {std::string_view(*value)});
}

}  // namespace

void check_zone(Checker& checker, const Code& code) {
  const Value* zone = code.find(Tag::zone);
  if (zone != nullptr && zone->constant() && !parse_zone(zone->strings.front().text))
    checker.error(zone->strings.front().at, "expected a time zone as \"+hhmm\" or \"-hhmm\"");
}

Result<int> wanted_zone(Run& run, const Code& code, std::int64_t at) {
  if (!code.has(Tag::zone)) return run.host().zone_minutes(at);
  const auto text = run.tag_string(code, Tag::zone);
  const auto zone = parse_zone(text);
  if (!zone) return fail(Errc::bad_syntax, "\"{}\" is no time zone", text);
  return *zone;
}

void check_date(Checker& checker, Code& code) {
  check_match(checker, code);
  check_fields(checker, code, code.args[0]);
  check_part(checker, code.args[1].strings.front());
  check_zone(checker, code);
}

void check_currentdate(Checker& checker, Code& code) {
  check_match(checker, code);
  check_part(checker, code.args[0].strings.front());
  check_zone(checker, code);
}

Result<bool> test_date(Run& run, const Code& code) {
  const auto fields = TRY(select_fields(run, code, run.strings(code.args[0])));
  const auto date = fields.empty() ? std::nullopt : date_of(*fields.front());
  if (!date) return run.match(code, code.args.back(), {});
  const int zone = code.has(Tag::originalzone) ? date->zone_minutes
                                               : TRY(wanted_zone(run, code, date->utc_seconds));
  return match_part(run, code, {date->utc_seconds, zone}, 1);
}

Result<bool> test_currentdate(Run& run, const Code& code) {
  const auto now = run.host().now();
  const int zone = TRY(wanted_zone(run, code, now));
  return match_part(run, code, {now, zone}, 0);
}

}  // namespace postern::sieve
