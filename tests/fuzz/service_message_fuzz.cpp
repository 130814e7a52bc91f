// Messages between porter and workers: whatever comes is refused or means the same when written
// again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "lib/base/assert.h"
#include "lib/service/message.h"

using namespace postern;

namespace {

/// What was read, written again, must read as the same.
template <typename Decode>
void round_trip(std::string_view bytes, Decode decode) {
  const auto first = decode(bytes);
  if (!first) return;
  const std::string text = service::encode(*first);
  const auto second = decode(text);
  ASSERT(second && service::encode(*second) == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  round_trip(bytes, service::decode_wake);
  round_trip(bytes, service::decode_park);
  round_trip(bytes, service::decode_end);
  round_trip(bytes, service::decode_tls_request);
  round_trip(bytes, service::decode_compress_request);
  round_trip(bytes, service::decode_login);
  round_trip(bytes, service::decode_login_answer);
  round_trip(bytes, service::decode_hello);
  round_trip(bytes, service::decode_greetings);
  round_trip(bytes, service::decode_order);
  static_cast<void>(service::decode_connection(bytes));
  return 0;
}
