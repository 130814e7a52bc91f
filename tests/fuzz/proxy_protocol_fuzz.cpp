// PROXY headers: any octets are read without harm; more octets never undo a verdict; a header that
// was read doesn't depend on what follows it.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/assert.h"
#include "lib/net/proxy_protocol.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using postern::net::ProxyHeader;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto header = postern::net::parse_proxy_header(bytes);
  if (!header || header->state == ProxyHeader::State::incomplete) return 0;
  ASSERT(header->size <= size && header->size <= postern::net::kMaxProxyHeader);
  const auto again = postern::net::parse_proxy_header(bytes.substr(0, header->size));
  ASSERT(again && again->state == header->state && again->size == header->size);
  ASSERT(again->source_address == header->source_address);
  const auto shorter = postern::net::parse_proxy_header(bytes.substr(0, header->size - 1));
  ASSERT(shorter && shorter->state == ProxyHeader::State::incomplete);
  return 0;
}
