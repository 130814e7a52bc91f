// What is known of a finished TLS connection, for Facts.
#pragma once

#include <openssl/ssl.h>

#include <string>

#include "lib/service/daemon.h"

namespace postern::transportd {

/// Fills the TLS members: version, cipher, SNI, ALPN, the identity in a verified client
/// certificate (first rfc822Name of the subject alternative names, else the common name), and the
/// channel binding tls-exporter (RFC 9266 §2).
void describe_tls(SSL* ssl, service::Facts& facts);

/// The channel binding tls-server-end-point (RFC 5929 §4.1): the hash of the server's certificate
/// by the hash of its signature, where that is SHA-256 at least. "" without a certificate.
std::string describe_endpoint(const X509* certificate);

}  // namespace postern::transportd
