// A date that is understood is understood the same way once written in our form.
#include <cstdint>
#include <string>

#include "lib/base/assert.h"
#include "lib/mime/date_time.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto when = postern::mime::parse_date_time(bytes);
  if (!when) return 0;
  const auto again = postern::mime::parse_date_time(postern::mime::format_date_time(*when));
  ASSERT(again.has_value() && again->utc_seconds == when->utc_seconds);
  ASSERT(again->local_day() == when->local_day());
  return 0;
}
