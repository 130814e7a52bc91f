#include "master/transportd/ssl_memory.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "master/transportd/openssl_owners.h"

namespace postern::transportd {
namespace {

// Before main(), and so before any test makes OpenSSL allocate.
const bool taken_over = take_over_ssl_memory(3);

SslCtx server_context(int version) {
  const Key key(EVP_EC_gen("P-256"));
  const X509Ptr certificate(X509_new());
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  SslCtx context(SSL_CTX_new(TLS_server_method()));
  SSL_CTX_use_certificate(context.get(), certificate.get());
  SSL_CTX_use_PrivateKey(context.get(), key.get());
  SSL_CTX_set_max_proto_version(context.get(), version);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  return context;
}

/// A server and a client in this process, hands shaken.
struct Pair {
  explicit Pair(SSL_CTX* context)
      : client_context(SSL_CTX_new(TLS_client_method())),
        server(SSL_new(context)),
        client(SSL_new(client_context.get())) {
    BIO* server_end = nullptr;
    BIO* client_end = nullptr;
    BIO_new_bio_pair(&server_end, 1 << 16, &client_end, 1 << 16);
    SSL_set_bio(server.get(), server_end, server_end);
    SSL_set_bio(client.get(), client_end, client_end);
    SSL_set_accept_state(server.get());
    SSL_set_connect_state(client.get());
    for (int turn = 0; turn < 4; ++turn) {
      SSL_do_handshake(client.get());
      SSL_do_handshake(server.get());
    }
  }
  SslCtx client_context;
  Ssl server, client;
};

std::string passes(SSL* from, SSL* to, std::string_view text) {
  EXPECT_EQ(SSL_write(from, text.data(), static_cast<int>(text.size())),
            static_cast<int>(text.size()));
  std::string out(text.size(), '\0');
  const int got = SSL_read(to, out.data(), static_cast<int>(out.size()));
  out.resize(static_cast<std::size_t>(std::max(got, 0)));
  return out;
}

/// The two pages of an object hold nothing.
bool empty(const SSL* ssl) {
  const auto* words = reinterpret_cast<const std::uint64_t*>(ssl);
  return std::all_of(words, words + 1024, [](std::uint64_t word) { return word == 0; });
}

TEST(SslMemory, FoldedObjectsHoldNothingAndGoOnAsTheyWere) {
  ASSERT_TRUE(taken_over);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const SslCtx context = server_context(version);
    const Pair pair(context.get());
    FoldedSsl folded;
    for (const std::string_view text : {"one", "two", "three"}) {
      folded.fold(pair.server.get());
      ASSERT_TRUE(folded.folded());
      EXPECT_TRUE(empty(pair.server.get()));
      folded.fold(pair.server.get());  // again: nothing
      folded.unfold(pair.server.get());
      EXPECT_FALSE(folded.folded());
      EXPECT_EQ(passes(pair.client.get(), pair.server.get(), text), text);
      EXPECT_EQ(passes(pair.server.get(), pair.client.get(), text), text);
      folded.unfold(pair.server.get());  // again: nothing
    }
  }
}

TEST(SslMemory, WhatComesWhileFoldedIsReadAfterwards) {
  const SslCtx context = server_context(TLS1_3_VERSION);
  const Pair pair(context.get());
  FoldedSsl folded;
  folded.fold(pair.server.get());
  ASSERT_EQ(SSL_write(pair.client.get(), "hello", 5), 5);
  folded.unfold(pair.server.get());
  std::array<char, 8> text{};
  ASSERT_EQ(SSL_read(pair.server.get(), text.data(), text.size()), 5);
  EXPECT_EQ(std::string_view(text.data(), 5), "hello");
}

TEST(SslMemory, BeyondTheRoomObjectsComeFromMallocAndStayAsTheyAre) {
  const SslCtx context = server_context(TLS1_3_VERSION);
  std::array<Ssl, 5> all;
  for (auto& one : all) one.reset(SSL_new(context.get()));
  std::size_t in_pages = 0;
  for (auto& one : all) {
    FoldedSsl folded;
    folded.fold(one.get());
    in_pages += folded.folded() ? 1 : 0;
    folded.unfold(one.get());
  }
  EXPECT_EQ(in_pages, 3U);
  all = {};
  release_free_ssl_memory();
  for (auto& one : all) one.reset(SSL_new(context.get()));  // the same room again
  EXPECT_NE(all[4], nullptr);
}

}  // namespace
}  // namespace postern::transportd
