// Any octets as a section table: an error, or ranges inside the message. The first two octets are
// the message's size.
#include <cstdint>
#include <string>

#include "lib/base/assert.h"
#include "lib/mime/section_table.h"

namespace {

using namespace postern::mime;

void look_up(const SectionTable& table, std::uint64_t message_size) {
  const std::vector<std::uint32_t> paths[] = {{},     {0},    {1},       {2},       {7},
                                              {1, 1}, {2, 1}, {1, 2, 1}, {3, 1, 2}, {1, 1, 1, 1}};
  for (const auto& path : paths) {
    for (const Which which : {Which::body, Which::header, Which::text, Which::mime}) {
      const auto section = table.find(path, which);
      if (!section) continue;
      ASSERT(section->range.begin <= section->range.end && section->range.end <= message_size);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::uint64_t message_size = static_cast<std::uint64_t>(data[0]) * 256 + data[1];
  const std::string bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const auto table = SectionTable::open(bytes, message_size);
  if (!table) return 0;
  for (const SectionPart& part : table->parts())
    ASSERT(part.header.begin <= part.header.end && part.body.begin <= part.body.end &&
           part.body.end <= message_size);
  look_up(*table, message_size);
  return 0;
}
