// Owners of OpenSSL's objects.
#pragma once

#include <openssl/ssl.h>

#include <memory>

namespace postern::transportd {

template <auto Free>
struct FreeWith {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};

using Ssl = std::unique_ptr<SSL, FreeWith<SSL_free>>;
using SslCtx = std::unique_ptr<SSL_CTX, FreeWith<SSL_CTX_free>>;
using EvpCipher = std::unique_ptr<EVP_CIPHER, FreeWith<EVP_CIPHER_free>>;
using Key = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, FreeWith<X509_free>>;

}  // namespace postern::transportd
