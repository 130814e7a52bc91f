// Certificates, keys and ticket keys as master passes them, and the SSL_CTX made of them.
#pragma once

#include <openssl/ssl.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "master/transportd/openssl_owners.h"

namespace postern::transportd {

/// One certificate chain with its key, as PEM text. `names` are the server names (SNI) that it
/// serves, lower case, "*.example.org" too; the first certificate of all serves everybody else.
struct Certificate {
  std::vector<std::string> names;
  std::string chain_pem;
  std::string key_pem;
  std::string ocsp_der;  // a stapled response, empty for none
};

/// What the configuration says of TLS.
struct Profile {
  bool allow_tls12 = true;
  std::string ciphers12;      // OpenSSL's list for TLS 1.2; "" for Mozilla's intermediate one
  std::string client_ca_pem;  // non-empty: clients may show a certificate signed by one of these
  std::vector<Certificate> certificates;
};

/// Keys of session tickets: the first encrypts, all decrypt. The same in all processes, so that a
/// session resumes at any of them.
struct TicketKey {
  std::array<unsigned char, 16> name{};
  std::array<unsigned char, 32> aes{};
  std::array<unsigned char, 32> hmac{};
};

/// The contexts of one generation of certificates. Connections hold a reference to theirs, so a
/// reload drops nobody. Stays where it is: OpenSSL's callbacks point to it.
class TlsContexts {
 public:
  /// `protocol` is the ALPN name to accept: "imap", "pop3", "managesieve"; "" accepts none.
  /// @error bad_syntax  a certificate, key or CA doesn't load, doesn't match or has expired
  static Result<std::unique_ptr<TlsContexts>> create(const Profile& profile,
                                                     std::string_view protocol,
                                                     const std::vector<TicketKey>& tickets);
  TlsContexts(const TlsContexts&) = delete;
  TlsContexts& operator=(const TlsContexts&) = delete;

  void set_ticket_keys(const std::vector<TicketKey>& keys) { tickets_ = keys; }
  /// The context that a new connection starts with; SNI may switch to another.
  [[nodiscard]] SSL_CTX* standard() const { return contexts_.front().get(); }
  /// tls-server-end-point of the certificate that `ssl` shows (RFC 5929 §4.1).
  [[nodiscard]] const std::string& endpoint_binding(const SSL* ssl) const;

 private:
  TlsContexts() = default;
  Result<SslCtx> make_context(const Profile& profile, const Certificate& certificate);
  void set_callbacks(SSL_CTX* ctx);
  [[nodiscard]] SSL_CTX* find(std::string_view name) const;
  [[nodiscard]] std::size_t index_of(const SSL* ssl) const;
  static int choose_by_name(SSL* ssl, int* alert, void* self);
  static int choose_protocol(SSL* ssl, const unsigned char** out, unsigned char* out_size,
                             const unsigned char* in, unsigned in_size, void* self);
  static int ticket_key(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                        EVP_MAC_CTX* mac, int encrypt);
  static int staple(SSL* ssl, void* self);

  std::vector<SslCtx> contexts_;
  std::vector<std::string> staples_, endpoint_bindings_;  // by the same index
  EvpCipher ticket_cipher_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
  std::string protocol_;
  std::vector<TicketKey> tickets_;
};

/// The error queue of OpenSSL as one text; empties it.
std::string openssl_error();

}  // namespace postern::transportd
