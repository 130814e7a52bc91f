// Who a client is: SASL (RFC 4422) and plain password checks over Cyrus SASL, with results that
// are plain values. The SASL library is used nowhere else.
//
// A failed login is Errc::auth_failed, whatever the reason was (the log has it); the caller applies
// the delay that Runtime::login_failed gives. Errc::unavailable means that nobody could check.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/auth/secret.h"
#include "lib/base/result.h"
#include "lib/config/config.h"
#include "lib/meta/acl.h"
#include "lib/meta/name.h"

namespace postern::auth {

/// What matters here of the connection that a login comes over.
struct Channel {
  std::string protocol = {};  // SASL service name: "imap", "pop", "lmtp", "sieve"
  bool tls = false;
  bool loopback = false;
  std::string channel_binding = {};     // tls-exporter data (RFC 9266), raw; empty without
  std::string endpoint_binding = {};    // tls-server-end-point data (RFC 5929 §4), raw
  std::string client_certificate = {};  // user named by a verified certificate: enables EXTERNAL
  bool takes_detail = false;            // "anna+Lists" logs in anna (Login::detail)
};

/// A successful login.
struct Login {
  meta::Identity identity;       // as whom the session acts
  meta::UserName authenticated;  // whose password it was; differs only for proxy authorisation
  std::string mechanism;         // "PLAIN", "SCRAM-SHA-256"; "password" for check_password()
  std::string detail;            // what stood behind the "+" of the name

  [[nodiscard]] bool proxied() const { return authenticated != identity.user; }
};

/// One step of an exchange: more to say, or the end.
struct Step {
  std::optional<Login> login;            // set: the exchange is over and succeeded
  std::optional<std::string> challenge;  // to send, raw; with `login`: additional data with success
};

/// One SASL exchange under way. Holds no lock and no descriptor; can't be parked.
class Exchange {
 public:
  Exchange(Exchange&&) noexcept;
  Exchange& operator=(Exchange&&) noexcept;
  ~Exchange();

  /// Begins with the client's initial response, if it sent one (an empty one is not none).
  /// @error not_supported     no such mechanism here
  /// @error privacy_required  a plaintext mechanism on a connection without protection
  /// @error auth_failed, no_permission (authorisation), bad_syntax, unavailable
  Result<Step> start(std::string_view mechanism, const std::optional<Secret>& initial);
  /// The client's answer to the last challenge. Errors as above.
  Result<Step> step(const Secret& response);

 private:
  friend class Authenticator;
  struct Impl;
  explicit Exchange(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The server's side of authentication. Made once, in the fork server: 5 to 10 ms and 0.8 MB that
/// the workers then share.
class Authenticator {
 public:
  /// @error unavailable  the SASL library finds no usable plugin
  static Result<std::unique_ptr<Authenticator>> create(const config::Config& config);
  ~Authenticator();

  /// Names of mechanisms to announce on this connection, upper case, strongest first.
  [[nodiscard]] std::vector<std::string> mechanisms(const Channel& channel) const;
  /// Whether passwords may cross this connection in the clear (LOGIN, USER and PASS, PLAIN).
  [[nodiscard]] bool plaintext_allowed(const Channel& channel) const;

  [[nodiscard]] Exchange begin(const Channel& channel) const;
  /// @error auth_failed, privacy_required, unavailable
  Result<Login> check_password(const Channel& channel, std::string_view user,
                               const Secret& password) const;

  /// APOP (RFC 1939 §7): `digest` in hex, of the challenge and the user's secret.
  /// @error auth_failed, unavailable
  Result<Login> check_apop(const Channel& channel, std::string_view challenge,
                           std::string_view user, std::string_view digest) const;

  /// Whether the password database has this user. With saslauthd alone nobody can say: false.
  /// @error unavailable
  Result<bool> knows(const meta::UserName& user) const;
  /// Groups and admin bit of a user who is known by other means.
  [[nodiscard]] meta::Identity identity_of(const meta::UserName& user) const;
  [[nodiscard]] const std::string& default_domain() const;

  struct Settings;

 private:
  explicit Authenticator(std::unique_ptr<Settings> settings);
  std::unique_ptr<Settings> settings_;
  mutable std::map<unsigned, std::vector<std::string>>
      announced_;  // by the bits of a Channel that count
};

}  // namespace postern::auth
