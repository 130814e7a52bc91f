// Octets choose a valid script from the tables of commands and tests; what is left is the message.
#include <cstdint>

#include "tests/unit/sieve/invariants.h"
#include "tests/unit/sieve/random_script.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  std::size_t at = 0;
  const auto script = postern::sieve::random_script([&](std::size_t below) -> std::size_t {
    return at < input.size() ? static_cast<unsigned char>(input[at++]) % below : 0;
  });
  postern::sieve::run_and_check(script, input.substr(at));
  return 0;
}
