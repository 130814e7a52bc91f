// Address lists, parameters and message ids of any octets; an address is read back from its own
// text.
#include <cstdint>
#include <string>
#include <utility>

#include "lib/base/assert.h"
#include "lib/mime/address.h"
#include "lib/mime/header.h"
#include "lib/mime/parameters.h"

namespace {

using namespace postern;
using namespace postern::mime;

void check_groups(const std::vector<Address>& list) {
  bool open = false;
  for (const Address& address : list) {
    if (address.kind == Address::Kind::group_start) ASSERT(!std::exchange(open, true));
    if (address.kind == Address::Kind::group_end) ASSERT(std::exchange(open, false));
  }
  ASSERT(!open);
}

bool plain(std::string_view text) {
  return text.find_first_of("()<>[]:;@,\\\"\r\n\t \0.=") == std::string_view::npos;
}

void check_spec(const Address& address) {
  if (address.kind != Address::Kind::mailbox || !address.has_domain) return;
  if (address.domain.empty() || !plain(address.domain)) return;
  const auto read = parse_address_list(address.addr_spec());
  ASSERT(read.size() == 1 && read[0].local_part == address.local_part);
  ASSERT(read[0].domain == address.domain);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto list = parse_address_list(bytes);
  check_groups(list);
  for (const Address& address : list) check_spec(address);
  ASSERT(parse_address_list(bytes, 3).size() <= 3);
  for (const Parameter& parameter : parse_parameterized(bytes).parameters)
    ASSERT(!parameter.wire_name.empty());
  for (const std::string& id : message_ids(bytes)) ASSERT(id.front() == '<' && id.back() == '>');
  return 0;
}
