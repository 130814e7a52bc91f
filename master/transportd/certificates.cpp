#include "master/transportd/certificates.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstring>

#include "lib/base/assert.h"
#include "lib/base/text.h"
#include "master/transportd/tls_facts.h"

namespace postern::transportd {
namespace {

// Mozilla's "intermediate" recommendation, version 5.7 (wiki.mozilla.org/Security/Server_Side_TLS).
constexpr const char* kCiphers12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305";
constexpr const char* kGroups = "X25519:P-256:P-384";

using Bio = std::unique_ptr<BIO, FreeWith<BIO_free>>;

Error tls_error(std::string_view what) {
  return fail(Errc::bad_syntax, "{}: {}", what, openssl_error());
}

Bio memory_of(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

X509Ptr next_certificate(BIO* in) {
  return X509Ptr(PEM_read_bio_X509(in, nullptr, nullptr, nullptr));
}

Result<void> check_dates(X509* certificate) {
  if (X509_cmp_current_time(X509_get0_notAfter(certificate)) <= 0)
    return fail(Errc::bad_syntax, "the certificate has expired");
  return {};
}

Result<void> use_chain(SSL_CTX* ctx, std::string_view pem) {
  const Bio in = memory_of(pem);
  const X509Ptr leaf = next_certificate(in.get());
  if (!leaf) return tls_error("certificate");
  TRY(check_dates(leaf.get()));
  if (SSL_CTX_use_certificate(ctx, leaf.get()) != 1) return tls_error("certificate");
  while (X509Ptr issuer = next_certificate(in.get()))
    if (SSL_CTX_add0_chain_cert(ctx, issuer.release()) != 1) return tls_error("chain");
  ERR_clear_error();  // the end of the PEM text is an error to OpenSSL
  return {};
}

Result<void> use_key(SSL_CTX* ctx, std::string_view pem) {
  const Bio in = memory_of(pem);
  const Key key(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr));
  if (!key) return tls_error("private key");
  if (SSL_CTX_use_PrivateKey(ctx, key.get()) != 1) return tls_error("private key");
  if (SSL_CTX_check_private_key(ctx) != 1) return tls_error("private key and certificate differ");
  return {};
}

/// A ticket holds the client's certificate, which isn't verified again when a session is resumed:
/// sessions are good under the same authorities only.
void bind_sessions(SSL_CTX* ctx, std::string_view ca_pem) {
  std::array<unsigned char, SSL_MAX_SID_CTX_LENGTH> digest{};
  unsigned size = 0;
  EVP_Digest(ca_pem.data(), ca_pem.size(), digest.data(), &size, EVP_sha256(), nullptr);
  SSL_CTX_set_session_id_context(ctx, digest.data(), size);
}

Result<void> ask_for_client_certificates(SSL_CTX* ctx, std::string_view ca_pem) {
  if (ca_pem.empty()) return {};
  const Bio in = memory_of(ca_pem);
  X509_STORE* store = SSL_CTX_get_cert_store(ctx);
  while (const X509Ptr ca = next_certificate(in.get())) {
    if (X509_STORE_add_cert(store, ca.get()) != 1) return tls_error("client CA");
    SSL_CTX_add_client_CA(ctx, ca.get());
  }
  ERR_clear_error();
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, nullptr);
  return {};
}

void set_versions_and_ciphers(SSL_CTX* ctx, const Profile& profile) {
  SSL_CTX_set_min_proto_version(ctx, profile.allow_tls12 ? TLS1_2_VERSION : TLS1_3_VERSION);
  SSL_CTX_set_cipher_list(ctx, profile.ciphers12.empty() ? kCiphers12 : profile.ciphers12.c_str());
  SSL_CTX_set1_groups_list(ctx, kGroups);
  SSL_CTX_set_dh_auto(ctx, 1);
}

void set_modes(SSL_CTX* ctx) {
  SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                               SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                               SSL_OP_IGNORE_UNEXPECTED_EOF);
  // Without its buffers an idle connection costs 14 KiB instead of 36 (OpenSSL 3.0, measured).
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(ctx, 1);
  // One read() for what is there, instead of one for each record's header and one for its rest.
  SSL_CTX_set_read_ahead(ctx, 1);
}

bool set_mac_key(EVP_MAC_CTX* mac, const TicketKey& key) {
  // OSSL_PARAM takes pointers to non-const, and reads only.
  TicketKey copy = key;
  char digest[] = "SHA256";
  const std::array<OSSL_PARAM, 3> params{
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, copy.hmac.data(), copy.hmac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(mac, params.data()) == 1;
}

}  // namespace

std::string openssl_error() {
  std::string out;
  while (const unsigned long code = ERR_get_error()) {
    char text[256];
    ERR_error_string_n(code, text, sizeof text);
    if (!out.empty()) out += "; ";
    out += text;
  }
  return out.empty() ? "no detail" : out;
}

Result<std::unique_ptr<TlsContexts>> TlsContexts::create(const Profile& profile,
                                                         std::string_view protocol,
                                                         const std::vector<TicketKey>& tickets) {
  if (profile.certificates.empty()) return fail(Errc::bad_syntax, "no certificate");
  std::unique_ptr<TlsContexts> self(new TlsContexts);
  self->protocol_ = protocol;
  self->tickets_ = tickets;
  // EVP_aes_256_cbc() would be looked up anew for each ticket.
  self->ticket_cipher_.reset(EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr));
  if (!self->ticket_cipher_) return tls_error("AES-256-CBC");
  for (const Certificate& certificate : profile.certificates) {
    self->contexts_.push_back(TRY(self->make_context(profile, certificate)));
    self->staples_.push_back(certificate.ocsp_der);
    self->endpoint_bindings_.push_back(
        describe_endpoint(SSL_CTX_get0_certificate(self->contexts_.back().get())));
    for (const std::string& name : certificate.names)
      self->by_name_.emplace(name, self->contexts_.size() - 1);
  }
  return self;
}

Result<SslCtx> TlsContexts::make_context(const Profile& profile, const Certificate& certificate) {
  SslCtx ctx(SSL_CTX_new(TLS_server_method()));
  if (!ctx) return tls_error("context");
  set_versions_and_ciphers(ctx.get(), profile);
  set_modes(ctx.get());
  TRY(use_chain(ctx.get(), certificate.chain_pem));
  TRY(use_key(ctx.get(), certificate.key_pem));
  bind_sessions(ctx.get(), profile.client_ca_pem);
  TRY(ask_for_client_certificates(ctx.get(), profile.client_ca_pem));
  SSL_CTX_set_app_data(ctx.get(), this);
  set_callbacks(ctx.get());
  return ctx;
}

// OpenSSL's macros cast function pointers the old way.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
void TlsContexts::set_callbacks(SSL_CTX* ctx) {
  SSL_CTX_set_tlsext_servername_callback(ctx, choose_by_name);
  SSL_CTX_set_tlsext_servername_arg(ctx, this);
  SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, this);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, ticket_key);
  SSL_CTX_set_tlsext_status_cb(ctx, staple);
  SSL_CTX_set_tlsext_status_arg(ctx, this);
}
#pragma GCC diagnostic pop

SSL_CTX* TlsContexts::find(std::string_view name) const {
  const std::string lower = to_lower(name);
  auto at = by_name_.find(lower);
  if (at == by_name_.end()) {
    const auto dot = lower.find('.');
    if (dot == std::string::npos) return nullptr;
    at = by_name_.find("*" + lower.substr(dot));
  }
  return at == by_name_.end() ? nullptr : contexts_[at->second].get();
}

/// Of the context that `ssl` has now.
std::size_t TlsContexts::index_of(const SSL* ssl) const {
  const auto at = std::ranges::find(contexts_, SSL_get_SSL_CTX(ssl), &SslCtx::get);
  ASSERT(at != contexts_.end());
  return static_cast<std::size_t>(at - contexts_.begin());
}

const std::string& TlsContexts::endpoint_binding(const SSL* ssl) const {
  return endpoint_bindings_[index_of(ssl)];
}

int TlsContexts::choose_by_name(SSL* ssl, int*, void* self) {
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  if (SSL_CTX* ctx = static_cast<TlsContexts*>(self)->find(name)) SSL_set_SSL_CTX(ssl, ctx);
  return SSL_TLSEXT_ERR_OK;
}

// RFC 7301 §3.2: no protocol in common is a fatal alert; it keeps a browser that was lured to a
// mail port (cross-protocol attacks) out.
int TlsContexts::choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                                 const unsigned char* in, unsigned in_size, void* self) {
  const std::string& wanted = static_cast<TlsContexts*>(self)->protocol_;
  if (wanted.empty()) return SSL_TLSEXT_ERR_NOACK;  // LMTP has no name
  for (unsigned at = 0; at < in_size; at += in[at] + 1U) {
    const std::string_view offered(reinterpret_cast<const char*>(in) + at + 1, in[at]);
    if (offered != wanted) continue;
    *out = in + at + 1;
    *out_size = in[at];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

int TlsContexts::ticket_key(SSL* ssl, unsigned char* name, unsigned char* iv,
                            EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int encrypt) {
  const auto* self = static_cast<TlsContexts*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  const auto& keys = self->tickets_;
  if (keys.empty()) return 0;
  if (encrypt != 0) {
    std::memcpy(name, keys.front().name.data(), 16);
    if (RAND_bytes(iv, EVP_MAX_IV_LENGTH) != 1) return -1;
    if (EVP_EncryptInit_ex2(cipher, self->ticket_cipher_.get(), keys.front().aes.data(), iv,
                            nullptr) != 1)
      return -1;
    return set_mac_key(mac, keys.front()) ? 1 : -1;
  }
  const auto at = std::ranges::find_if(
      keys, [&](const TicketKey& key) { return std::memcmp(key.name.data(), name, 16) == 0; });
  if (at == keys.end()) return 0;
  if (!set_mac_key(mac, *at)) return -1;
  if (EVP_DecryptInit_ex2(cipher, self->ticket_cipher_.get(), at->aes.data(), iv, nullptr) != 1)
    return -1;
  // 2 asks for a fresh ticket; a TLS 1.3 ticket is used once, so it is always renewed.
  return at == keys.begin() && SSL_version(ssl) != TLS1_3_VERSION ? 1 : 2;
}

int TlsContexts::staple(SSL* ssl, void* self_pointer) {
  auto* self = static_cast<TlsContexts*>(self_pointer);
  const std::string& response = self->staples_[self->index_of(ssl)];
  if (response.empty()) return SSL_TLSEXT_ERR_NOACK;
  void* copy = OPENSSL_memdup(response.data(), response.size());
  SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(response.size()));
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace postern::transportd
