// The parked record: whatever restores must serialise to something that restores to the same.
#include <cstdint>
#include <string_view>

#include "imapd/connection.h"
#include "lib/base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using postern::imap::Connection;
  const auto conn = Connection::restore({reinterpret_cast<const char*>(data), size});
  if (!conn) return 0;
  const std::string record = conn->serialise();
  const auto again = Connection::restore(record);
  ASSERT(again && again->serialise() == record);
  return 0;
}
