#include "lib/base/assert.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace postern {

void assertion_failed(const char* expression, const char* file, int line) {
  static_cast<void>(std::fprintf(stderr,
                                 "event=process.abort pid=%d assertion=\"%s\" file=%s line=%d\n",
                                 static_cast<int>(getpid()), expression, file, line));
  std::abort();
}

}  // namespace postern
