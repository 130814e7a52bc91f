#include "sieve/site/digest.h"

#include <openssl/evp.h>

#include <memory>

#include "lib/base/assert.h"
#include "lib/base/text.h"

namespace postern::site {

std::string digest_of(std::initializer_list<std::string_view> parts) {
  static EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> hash(EVP_MD_CTX_new(),
                                                                     &EVP_MD_CTX_free);
  ASSERT(hash && EVP_DigestInit_ex2(hash.get(), sha256, nullptr) == 1);
  for (const auto part : parts) {
    const std::string length = std::to_string(part.size()) + ':';
    EVP_DigestUpdate(hash.get(), length.data(), length.size());
    EVP_DigestUpdate(hash.get(), part.data(), part.size());
  }
  unsigned char out[32];
  ASSERT(EVP_DigestFinal_ex(hash.get(), out, nullptr) == 1);
  return to_hex({reinterpret_cast<const char*>(out), sizeof out});
}

Guid guid_of(std::string_view octets) {
  Guid guid;
  unsigned int size = 0;
  ASSERT(EVP_Digest(octets.data(), octets.size(), guid.bytes.data(), &size, EVP_sha256(),
                    nullptr) == 1 &&
         size == guid.bytes.size());
  return guid;
}

}  // namespace postern::site
