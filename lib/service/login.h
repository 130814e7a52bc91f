// What every protocol does about a login: tell authentication of the connection, and log the
// outcome. Header only: porter and transportd link lib/service without lib/auth.
#pragma once

#include <string>
#include <string_view>

#include "lib/auth/auth.h"
#include "lib/log/log.h"
#include "lib/service/daemon.h"

namespace postern::service {

/// `protocol`: the SASL service name, "imap", "pop", "lmtp", "sieve".
inline auth::Channel channel_of(const Facts& facts, std::string protocol) {
  return {.protocol = std::move(protocol),
          .tls = facts.tls,
          .loopback = facts.loopback,
          .channel_binding = facts.channel_binding,
          .endpoint_binding = facts.endpoint_binding,
          .client_certificate = facts.client_certificate};
}

/// The address stands before everything that the client chose: conf/fail2ban relies on it.
inline void log_failed_login(const Facts& facts, std::string_view mechanism, std::string_view user,
                             const Error& error) {
  LOG(notice, "login.failed", {"conn", facts.session_id}, {"service", facts.service},
      {"peer", facts.peer_address}, {"tls", facts.tls_version}, {"mechanism", mechanism},
      {"user", user}, {"error", error.text});
}

inline void log_login(const Facts& facts, const auth::Login& login, std::string_view client) {
  LOG(notice, "login.ok", {"conn", facts.session_id}, {"service", facts.service},
      {"peer", facts.peer_address}, {"tls", facts.tls_version}, {"mechanism", login.mechanism},
      {"user", login.identity.user.text()}, {"authenticated", login.authenticated.text()},
      {"client", client});
}

}  // namespace postern::service
