// Random bytes from the kernel.
#pragma once

#include <cstddef>
#include <string>

namespace postern {

/// Fills `size` bytes (at most 256 are one system call). Never fails: the kernel's pool is ready
/// long before a daemon starts; anything else is an ASSERT.
void random_bytes(void* out, std::size_t size);

/// `size` random bytes as 2*size hex digits.
std::string random_hex(std::size_t size);

}  // namespace postern
