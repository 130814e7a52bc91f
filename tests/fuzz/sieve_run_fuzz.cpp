// A script and a message, separated by the first octet 0: a run must end within its limits, and
// whatever happens the mail is not lost. The script need not require anything.
#include <cstdint>

#include "sieve/sieve.h"
#include "tests/unit/sieve/invariants.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto zero = input.find('\0');
  const auto message = zero == std::string_view::npos ? std::string_view() : input.substr(zero + 1);
  std::string script = "require [";
  for (const auto& row : postern::sieve::capabilities())
    script.append(script.back() == '[' ? "\"" : ",\"").append(row.name).append("\"");
  script.append("];").append(input.substr(0, zero));
  postern::sieve::run_and_check(script, message);
  return 0;
}
