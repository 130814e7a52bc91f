// The only file of this room that knows ICU's time zones.
#include "sieve/zone.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wconversion"
#include <unicode/basictz.h>
#include <unicode/timezone.h>
#include <unicode/unistr.h>
#pragma GCC diagnostic pop

#include <algorithm>

namespace postern::sieve {

struct Zone::Rules {
  std::unique_ptr<icu::BasicTimeZone> zone;  // null: always `fixed`
  int fixed = 0;
};

Result<Zone> Zone::named(std::string_view tzid) {
  const icu::UnicodeString id(tzid.data(), static_cast<std::int32_t>(tzid.size()), "UTF-8");
  std::unique_ptr<icu::TimeZone> zone(icu::TimeZone::createTimeZone(id));
  if (*zone == icu::TimeZone::getUnknown())
    return fail(Errc::bad_syntax, "unknown time zone \"{}\"", tzid);
  auto* basic = dynamic_cast<icu::BasicTimeZone*>(zone.get());
  if (basic == nullptr) return fail(Errc::bad_syntax, "unusable time zone \"{}\"", tzid);
  zone.release();
  Zone out;
  out.rules_ = std::make_shared<const Rules>(Rules{std::unique_ptr<icu::BasicTimeZone>(basic), 0});
  return out;
}

Zone Zone::fixed(int seconds) {
  Zone out;
  out.rules_ = std::make_shared<const Rules>(Rules{nullptr, seconds});
  return out;
}

int Zone::offset(std::int64_t utc_seconds) const {
  if (rules_->zone == nullptr) return rules_->fixed;
  std::int32_t raw = 0;
  std::int32_t saving = 0;
  UErrorCode status = U_ZERO_ERROR;
  rules_->zone->getOffset(static_cast<double>(utc_seconds) * 1000.0, false, raw, saving, status);
  return (raw + saving) / 1000;
}

std::int64_t Zone::utc_of_local(std::int64_t local_seconds) const {
  if (rules_->zone == nullptr) return local_seconds - rules_->fixed;
  std::int32_t raw = 0;
  std::int32_t saving = 0;
  UErrorCode status = U_ZERO_ERROR;
  rules_->zone->getOffsetFromLocal(static_cast<double>(local_seconds) * 1000.0,
                                   UCAL_TZ_LOCAL_FORMER, UCAL_TZ_LOCAL_FORMER, raw, saving, status);
  return local_seconds - (raw + saving) / 1000;
}

}  // namespace postern::sieve
