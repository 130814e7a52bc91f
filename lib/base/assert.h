// ASSERT: what only a bug can cause. On in release builds too: the process says where and aborts,
// master starts another; one connection is lost, the mailbox is not.
#pragma once

namespace postern {
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);
}  // namespace postern

#define ASSERT(expression)             \
  ((expression) ? static_cast<void>(0) \
                : ::postern::assertion_failed(#expression, __FILE__, __LINE__))
