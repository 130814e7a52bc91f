#include "master/transportd/tls_facts.h"

#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <memory>
#include <string>

#include "master/transportd/openssl_owners.h"

namespace postern::transportd {
namespace {

std::string text_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::string mail_name(const X509* certificate) {
  const std::unique_ptr<GENERAL_NAMES, FreeWith<GENERAL_NAMES_free>> names(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_EMAIL) return text_of(name->d.rfc822Name);
  }
  return {};
}

std::string common_name(const X509* certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return {};
  return text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

std::string client_identity(SSL* ssl) {
  const X509* certificate = SSL_get0_peer_certificate(ssl);
  if (certificate == nullptr || SSL_get_verify_result(ssl) != X509_V_OK) return {};
  std::string name = mail_name(certificate);
  return name.empty() ? common_name(certificate) : name;
}

std::string exporter_binding(SSL* ssl) {
  constexpr std::string_view kLabel = "EXPORTER-Channel-Binding";
  std::array<unsigned char, 32> out{};
  if (SSL_export_keying_material(ssl, out.data(), out.size(), kLabel.data(), kLabel.size(), nullptr,
                                 0, 1) != 1)
    return {};
  return {reinterpret_cast<const char*>(out.data()), out.size()};
}

}  // namespace

std::string describe_endpoint(const X509* certificate) {
  if (certificate == nullptr) return {};
  int hash = NID_undef;
  OBJ_find_sigid_algs(X509_get_signature_nid(certificate), &hash, nullptr);
  const EVP_MD* digest = hash == NID_undef || hash == NID_md5 || hash == NID_sha1
                             ? EVP_sha256()
                             : EVP_get_digestbynid(hash);
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned size = 0;
  if (digest == nullptr || X509_digest(certificate, digest, out.data(), &size) != 1) return {};
  return {reinterpret_cast<const char*>(out.data()), size};
}

void describe_tls(SSL* ssl, service::Facts& facts) {
  facts.tls = true;
  facts.tls_version = SSL_get_version(ssl);
  facts.cipher = SSL_get_cipher_name(ssl);
  if (const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)) facts.sni = name;
  const unsigned char* alpn = nullptr;
  unsigned alpn_size = 0;
  SSL_get0_alpn_selected(ssl, &alpn, &alpn_size);
  facts.alpn.assign(reinterpret_cast<const char*>(alpn), alpn_size);
  facts.client_certificate = client_identity(ssl);
  facts.channel_binding = exporter_binding(ssl);
}

}  // namespace postern::transportd
