// HomeLock: who may open the metadata's home. Exactly one process at a time: metad, or one tool.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/fd.h"
#include "lib/base/result.h"

namespace postern::meta {

class HomeLock {
 public:
  /// Takes <home>/lock and writes `purpose` and the pid into it. The kernel frees it with the
  /// process, however that ends. The home is made if it isn't there.
  /// @error in_use  with what the holder wrote
  static Result<HomeLock> take(const std::string& home, std::string_view purpose);

 private:
  explicit HomeLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace postern::meta
