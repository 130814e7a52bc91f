// Time zones of the IANA database, with ICU.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace postern::sieve {

class Zone {
 public:
  /// @error bad_syntax  the database has no zone of this name
  static Result<Zone> named(std::string_view tzid);
  /// Always so many seconds east of Greenwich.
  static Zone fixed(int seconds);

  /// Seconds east at that time.
  [[nodiscard]] int offset(std::int64_t utc_seconds) const;
  /// Of a local time that comes twice the first; one that is left out counts by the offset before
  /// the change.
  [[nodiscard]] std::int64_t utc_of_local(std::int64_t local_seconds) const;

 private:
  struct Rules;
  std::shared_ptr<const Rules> rules_;
};

}  // namespace postern::sieve
