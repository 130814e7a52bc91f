// snooze (draft-ietf-extra-sieve-snooze): fileinto at a later time.
#include <fmt/format.h>

#include <algorithm>

#include "sieve/flag_list.h"
#include "sieve/functions.h"
#include "sieve/zone.h"

namespace postern::sieve {
namespace {

// "hh:mm:ss" or "hh:mm" as seconds of the day.
std::optional<std::int32_t> parse_time(std::string_view text) {
  if ((text.size() != 8 && text.size() != 5) || text[2] != ':') return std::nullopt;
  const auto hours = parse_u32(text.substr(0, 2));
  const auto minutes = parse_u32(text.substr(3, 2));
  const auto seconds = text.size() == 8 ? parse_u32(text.substr(6, 2)) : std::optional(0U);
  if (!hours || !minutes || !seconds || (text.size() == 8 && text[5] != ':')) return std::nullopt;
  if (*hours > 23 || *minutes > 59 || *seconds > 59) return std::nullopt;
  return static_cast<std::int32_t>(*hours * 3600 + *minutes * 60 + *seconds);
}

std::optional<unsigned> parse_weekday(std::string_view text) {
  if (text.size() != 1 || text[0] < '0' || text[0] > '6') return std::nullopt;
  return static_cast<unsigned>(text[0] - '0');
}

struct Schedule {
  std::vector<std::int32_t> times;  // seconds of the day, ascending
  std::array<bool, 7> days{};       // 0 is Sunday
};

Result<Schedule> read_schedule(Run& run, const Code& code) {
  Schedule schedule;
  for (const auto text : run.strings(code.args.front())) {
    const auto time = parse_time(text);
    if (!time) return fail(Errc::bad_syntax, "snooze: \"{}\" is no time", text);
    schedule.times.push_back(*time);
  }
  std::ranges::sort(schedule.times);
  const Value* days = code.find(Tag::weekdays);
  if (days == nullptr) schedule.days.fill(true);
  if (days != nullptr) {
    for (const auto text : run.strings(*days)) {
      const auto day = parse_weekday(text);
      if (!day) return fail(Errc::bad_syntax, "snooze: \"{}\" is no weekday", text);
      schedule.days[*day] = true;
    }
  }
  return schedule;
}

// The first time of the schedule after `now`: draft §4.3 and its examples.
std::optional<std::int64_t> next_time(const Schedule& schedule, const Zone& zone,
                                      std::int64_t now) {
  const std::int64_t local = now + zone.offset(now);
  const std::int64_t today = (local - ((local % 86'400) + 86'400) % 86'400) / 86'400;
  // A day more than a week: the same weekday again after today's last time.
  for (std::int64_t day = today; day <= today + 8; ++day) {
    if (!schedule.days[static_cast<std::size_t>(((day + 4) % 7 + 7) % 7)]) continue;
    for (const auto time : schedule.times) {
      const auto at = zone.utc_of_local(day * 86'400 + time);
      if (at > now) return at;
    }
  }
  return std::nullopt;
}

}  // namespace

void check_snooze(Checker& checker, Code& code) {
  for (const auto& text : code.args.front().strings)
    if (!text.has_variables && !parse_time(text.text))
      checker.error(text.at, "expected a time as \"hh:mm:ss\"");
  if (const Value* days = code.find(Tag::weekdays))
    for (const auto& text : days->strings)
      if (!text.has_variables && !parse_weekday(text.text))
        checker.error(text.at, "expected a weekday from \"0\" (Sunday) to \"6\"");
  const Value* zone = code.find(Tag::tzid);
  if (zone != nullptr && zone->constant() && !Zone::named(zone->strings.front().text))
    checker.error(zone->strings.front().at,
                  fmt::format("unknown time zone \"{}\"", zone->strings.front().text));
  const Value* mailbox = code.find(Tag::mailbox);
  if (mailbox != nullptr) check_target(checker, code, *mailbox);
  if (mailbox == nullptr && code.has(Tag::create))
    checker.error(code.at, "':create' needs ':mailbox'");
}

Result<Flow> run_snooze(Run& run, const Code& code) {
  const auto now = run.host().now();
  const auto schedule = TRY(read_schedule(run, code));
  const Zone zone = code.has(Tag::tzid) ? TRY(Zone::named(run.tag_string(code, Tag::tzid)))
                                        : Zone::fixed(run.host().zone_minutes(now) * 60);
  const auto until = next_time(schedule, zone, now);
  if (!until) return fail(Errc::bad_syntax, "snooze: no time to wake up");
  Snooze action;
  action.target = TRY(read_target(run, code, run.tag_string(code, Tag::mailbox, "INBOX"), {}));
  action.until = *until;
  action.flags = run.flags();
  if (const Value* flags = code.find(Tag::addflags))
    add_flags(run.strings(*flags), action.add_flags);
  if (const Value* flags = code.find(Tag::removeflags))
    add_flags(run.strings(*flags), action.remove_flags);
  TRY(run.act(code, std::move(action), false));
  return Flow::next;
}

}  // namespace postern::sieve
