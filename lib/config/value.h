// Values as the configuration writes them: "64KiB", "30min", "true".
#pragma once

#include <cstdint>
#include <string_view>

#include "lib/base/result.h"
#include "lib/config/config.h"

namespace postern::config {

/// "30min", "500ms", "7d", "2h", "15s"; a bare 0 too. Milliseconds.
Result<std::int64_t> parse_duration(std::string_view text);
/// "64KiB", "1MiB", "2GiB", "512"; bytes.
Result<std::int64_t> parse_size(std::string_view text);
/// Decimal, with an optional minus sign.
Result<std::int64_t> parse_integer(std::string_view text);
Result<bool> parse_boolean(std::string_view text);

/// Whether `text` is a value of `option`, within its range. Lists are not for this.
Result<void> check_value(const Option& option, std::string_view text);

}  // namespace postern::config
