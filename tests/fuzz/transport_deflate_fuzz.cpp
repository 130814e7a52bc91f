// What a client sends after COMPRESS: any octets, in any pieces, with and without rests.
#include <array>
#include <cstdint>

#include "lib/base/assert.h"
#include "master/transportd/deflate.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using postern::transportd::Inflater;
  Inflater whole, pieces;
  std::array<char, 4096> room{};
  std::string once, twice;
  std::string_view in(reinterpret_cast<const char*>(data), size);
  bool sound = true;
  for (std::size_t got = room.size(); sound && got == room.size() && once.size() < (1 << 20);) {
    const auto taken = whole.take(in, room);
    sound = taken.has_value();
    got = taken.value_or(0);
    once.append(room.data(), got);
  }
  for (std::size_t i = 0; i < size && twice.size() < (1 << 20); ++i) {
    std::string_view octet(reinterpret_cast<const char*>(data) + i, 1);
    std::size_t got = room.size();
    while (got == room.size()) {
      const auto taken = pieces.take(octet, room);
      if (!taken) return 0;
      got = *taken;
      twice.append(room.data(), got);
    }
    pieces.rest();
  }
  if (sound && once.size() < (1 << 20)) ASSERT(once == twice);
  return 0;
}
