// Any octets as a script: the compiler must neither crash nor hang, and what it says must have a
// place inside the script.
#include <algorithm>
#include <cstdint>

#include "lib/base/assert.h"
#include "sieve/sieve.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  postern::sieve::Diagnostics diagnostics;
  const auto script = postern::sieve::compile(text, {}, diagnostics);
  const auto lines = 1 + static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  bool failed = false;
  for (const auto& d : diagnostics) {
    ASSERT(d.at.line >= 1 && d.at.line <= lines && d.at.column >= 1);
    ASSERT(!d.text.empty());
    failed = failed || d.severity == postern::sieve::Severity::error;
  }
  ASSERT(failed == (script == nullptr));
  return 0;
}
