// What is known of a finished TLS connection, for Facts.
#pragma once

#include <openssl/ssl.h>

#include "lib/service/daemon.h"

namespace postern::transportd {

/// Fills the TLS members: version, cipher, SNI, ALPN, the identity in a verified client
/// certificate (first rfc822Name of the subject alternative names, else the common name), and the
/// channel bindings tls-exporter (RFC 9266 §2) and tls-server-end-point (RFC 5929 §4).
void describe_tls(SSL* ssl, service::Facts& facts);

}  // namespace postern::transportd
