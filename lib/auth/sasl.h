// Inside lib/auth only: one SASL connection object with our settings in place of the files that
// the library would read.
#pragma once

#include <sasl/sasl.h>

#include <array>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lib/auth/auth.h"

namespace postern::auth {

/// The configuration as the library's callbacks need it.
struct Authenticator::Settings {
  std::string realm;  // of user names without a domain; also the host in Kerberos names
  std::string default_domain;
  bool plaintext_loopback = false;
  bool anonymous = false;  // ANONYMOUS is offered only where it is named
  bool system_groups = false;
  std::string mechanisms;  // space-separated; empty: all
  std::string sasldb;
  std::string saslauthd;  // its folder; empty: not used
  std::set<std::string, std::less<>> admins;
  std::multimap<std::string, std::string, std::less<>> groups;  // user to "group:name"

  static Result<Settings> from(const config::Config& config);
  [[nodiscard]] bool is_admin(std::string_view user) const { return admins.contains(user); }
  /// Value of a library option, or null.
  [[nodiscard]] const char* option(std::string_view name) const;
};

/// Once a process: loads the plugins. @error unavailable
Result<void> load_sasl();

/// Our error for a result of the library. @pre code is neither SASL_OK nor SASL_CONTINUE
Error sasl_error(int code, std::string_view what);

/// Owns a sasl_conn_t. Stays where it is: the library keeps its address.
class SaslConnection {
 public:
  /// Both are borrowed for its life.
  SaslConnection(const Authenticator::Settings& settings, const Channel& channel,
                 bool plaintext_allowed);
  SaslConnection(const SaslConnection&) = delete;
  SaslConnection& operator=(const SaslConnection&) = delete;
  ~SaslConnection();

  /// Null if the library refused; then error() says why.
  [[nodiscard]] sasl_conn_t* get() const { return connection_; }
  [[nodiscard]] Error error() const { return sasl_error(code_, "sasl_server_new"); }
  /// A property that is text, or "".
  [[nodiscard]] std::string text_property(int property) const;
  /// From now on the channel is bound by tls-server-end-point, not by tls-exporter.
  void bind_to_endpoint() { bind("tls-server-end-point", endpoint_binding_); }
  /// What stood behind the "+" of the user's name (Channel::takes_detail).
  [[nodiscard]] const std::string& detail() const { return name_context_.detail; }

  /// What the library's call-back for names sees.
  struct NameContext {
    const Authenticator::Settings* settings;
    bool takes_detail;
    std::string detail;
  };

 private:
  void bind(const char* name, const std::string& data);
  void describe(const Channel& channel, bool plaintext_allowed);
  NameContext name_context_;
  std::array<sasl_callback_t, 4> callbacks_;
  std::string exporter_binding_, endpoint_binding_;
  sasl_channel_binding_t binding_record_{};
  sasl_conn_t* connection_ = nullptr;
  int code_ = SASL_FAIL;
};

}  // namespace postern::auth
