#include "lib/base/random.h"

#include <sys/random.h>

#include <cerrno>

#include "lib/base/assert.h"
#include "lib/base/text.h"

namespace postern {

void random_bytes(void* out, std::size_t size) {
  auto* at = static_cast<char*>(out);
  while (size > 0) {
    const ssize_t got = getrandom(at, size, 0);
    if (got < 0 && errno == EINTR) continue;
    ASSERT(got > 0);
    at += got;
    size -= static_cast<std::size_t>(got);
  }
}

std::string random_hex(std::size_t size) {
  std::string raw(size, '\0');
  random_bytes(raw.data(), size);
  return to_hex(raw);
}

}  // namespace postern
