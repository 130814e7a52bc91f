#include "lib/auth/sasl.h"

#include <cstring>
#include <mutex>

#include "lib/base/text.h"
#include "lib/log/log.h"
#include "lib/meta/recipient.h"

namespace postern::auth {
namespace {

using Settings = Authenticator::Settings;

const Settings& settings_of(void* context) { return *static_cast<const Settings*>(context); }

int get_option(void* context, const char*, const char* name, const char** value, unsigned* size) {
  const char* const found = context != nullptr ? settings_of(context).option(name) : nullptr;
  if (found == nullptr) return SASL_FAIL;  // the library takes its default
  *value = found;
  if (size != nullptr) *size = static_cast<unsigned>(std::strlen(found));
  return SASL_OK;
}

/// No configuration files: everything comes from get_option().
int get_config_path(void*, char** path) {
  // On the heap, since the manual says that the library frees it; kept, since 2.1.28 doesn't.
  static char* const kept = ::strdup("/nonexistent");
  *path = kept;
  return kept != nullptr ? SASL_OK : SASL_NOMEM;
}

int take_log(void*, int level, const char* message) {
  if (level == SASL_LOG_ERR)
    LOG(warning, "auth.library", {"message", message});
  else if (level > SASL_LOG_ERR && level <= SASL_LOG_NOTE)
    LOG(debug, "auth.library", {"message", message});
  return SASL_OK;
}

/// Makes each name canonical before the library looks anything up.
int canonicalise(sasl_conn_t*, void* context, const char* in, unsigned in_size, unsigned,
                 const char*, char* out, unsigned out_max, unsigned* out_size) {
  auto& names = *static_cast<SaslConnection::NameContext*>(context);
  const Settings& settings = *names.settings;
  std::string_view name(in, in_size);
  if (const std::string own = '@' + settings.realm; name.ends_with(own))
    name.remove_suffix(own.size());
  meta::Subaddress parts;
  if (names.takes_detail) {
    parts = meta::split_detail(name);
    name = parts.user;
    if (!parts.detail.empty()) names.detail = parts.detail;
  }
  const auto user = meta::canonical_user(name, settings.default_domain);
  if (!user || user->text().size() >= out_max) return SASL_BADPROT;
  std::memcpy(out, user->text().c_str(), user->text().size() + 1);
  *out_size = static_cast<unsigned>(user->text().size());
  return SASL_OK;
}

/// RFC 4422 §3.4.1: whether `user`, who has authenticated, may act as `wanted`.
int authorise(sasl_conn_t*, void* context, const char* wanted, unsigned wanted_size,
              const char* user, unsigned user_size, const char*, unsigned, propctx*) {
  const std::string_view as(wanted, wanted_size);
  const std::string_view who(user, user_size);
  return as == who || settings_of(context).is_admin(who) ? SASL_OK : SASL_NOAUTHZ;
}

template <typename Function>
sasl_callback_t callback(unsigned long id, Function function, const void* context) {
  // By way of void (*)(), the one function type that stands for any (the library's own way).
  const auto any = reinterpret_cast<void (*)()>(function);
  return {id, reinterpret_cast<int (*)()>(any), const_cast<void*>(context)};
}

std::string canonical_text(std::string_view name, std::string_view default_domain) {
  const auto user = meta::canonical_user(name, default_domain);
  return user ? user->text() : std::string(name);
}

}  // namespace

Result<Settings> Settings::from(const config::Config& config) {
  Settings out;
  out.realm = config.text("auth.realm");
  out.default_domain = config.text("auth.default_domain");
  out.plaintext_loopback = config.boolean("auth.plaintext_loopback");
  out.system_groups = config.boolean("auth.system_groups");
  out.sasldb = config.text("auth.sasldb");
  out.saslauthd = config.text("auth.saslauthd");
  for (const auto& name : config.list("auth.mechanisms")) {
    out.mechanisms += (out.mechanisms.empty() ? "" : " ") + to_upper(name);
    out.anonymous = out.anonymous || iequals(name, "ANONYMOUS");
  }
  for (const auto& name : config.list("auth.admins"))
    out.admins.insert(canonical_text(name, out.default_domain));
  for (const auto& group : config.names_under("auth.groups"))
    for (const auto& member : config.list(fmt::format("auth.groups.{}", group)))
      out.groups.emplace(canonical_text(member, out.default_domain), "group:" + group);
  return out;
}

const char* Settings::option(std::string_view name) const {
  if (name == "sasldb_path") return sasldb.c_str();
  if (name == "auxprop_plugin") return "sasldb";
  if (name == "pwcheck_method") return saslauthd.empty() ? "auxprop" : "auxprop saslauthd";
  if (name == "saslauthd_path" && !saslauthd.empty()) return saslauthd.c_str();
  if (name == "mech_list" && !mechanisms.empty()) return mechanisms.c_str();
  return nullptr;
}

Result<void> load_sasl() {
  static std::once_flag once;
  static int code = SASL_FAIL;
  std::call_once(once, [] {
    static const sasl_callback_t callbacks[] = {
        callback(SASL_CB_LOG, take_log, nullptr),
        callback(SASL_CB_GETCONFPATH, get_config_path, nullptr),
        {SASL_CB_LIST_END, nullptr, nullptr},
    };
    code = sasl_server_init(callbacks, "postern");
  });
  if (code == SASL_OK) return {};
  return fail(Errc::unavailable, "sasl_server_init: {}", sasl_errstring(code, nullptr, nullptr));
}

Error sasl_error(int code, std::string_view what) {
  const char* const text = sasl_errstring(code, nullptr, nullptr);
  switch (code) {
    case SASL_BADAUTH:
    case SASL_NOUSER:
    case SASL_NOVERIFY:
    case SASL_EXPIRED:
    case SASL_DISABLED:
    case SASL_PWLOCK:
    case SASL_WEAKPASS:
    case SASL_BADMAC:
    case SASL_BADBINDING:
      return fail(Errc::auth_failed, "{}: {}", what, text);
    case SASL_NOAUTHZ:
      return fail(Errc::no_permission, "{}: {}", what, text);
    case SASL_NOMECH:
      return fail(Errc::not_supported, "{}: {}", what, text);
    case SASL_ENCRYPT:
    case SASL_TOOWEAK:
      return fail(Errc::privacy_required, "{}: {}", what, text);
    case SASL_BADPROT:
    case SASL_BADPARAM:
    case SASL_BUFOVER:
      return fail(Errc::bad_syntax, "{}: {}", what, text);
    default:
      return fail(Errc::unavailable, "{}: {}", what, text);
  }
}

SaslConnection::SaslConnection(const Settings& settings, const Channel& channel,
                               bool plaintext_allowed)
    : name_context_{&settings, channel.takes_detail, {}},
      callbacks_{callback(SASL_CB_GETOPT, get_option, &settings),
                 callback(SASL_CB_CANON_USER, canonicalise, &name_context_),
                 callback(SASL_CB_PROXY_POLICY, authorise, &settings),
                 {SASL_CB_LIST_END, nullptr, nullptr}},
      exporter_binding_(channel.channel_binding),
      endpoint_binding_(channel.endpoint_binding) {
  // No realm: the library would append it to every name. Names without a domain are looked up
  // under the "host", for which we give our realm.
  const char* const protocol = channel.protocol.empty() ? "postern" : channel.protocol.c_str();
  code_ = sasl_server_new(protocol, settings.realm.c_str(), nullptr, nullptr, nullptr,
                          callbacks_.data(), SASL_SUCCESS_DATA, &connection_);
  if (code_ != SASL_OK) connection_ = nullptr;
  if (connection_ != nullptr) describe(channel, plaintext_allowed);
}

void SaslConnection::describe(const Channel& channel, bool plaintext_allowed) {
  sasl_security_properties_t security{};  // max_ssf 0: protection is TLS's work
  security.security_flags = plaintext_allowed ? 0 : SASL_SEC_NOPLAINTEXT;
  if (!settings_of(callbacks_[0].context).anonymous)
    security.security_flags |= SASL_SEC_NOANONYMOUS;
  sasl_setprop(connection_, SASL_SEC_PROPS, &security);
  const sasl_ssf_t strength = channel.tls ? 256 : 0;
  sasl_setprop(connection_, SASL_SSF_EXTERNAL, &strength);
  if (!channel.client_certificate.empty())
    sasl_setprop(connection_, SASL_AUTH_EXTERNAL, channel.client_certificate.c_str());
  bind("tls-exporter", exporter_binding_);
}

void SaslConnection::bind(const char* name, const std::string& data) {
  if (data.empty()) return;
  binding_record_ = {name, 0, data.size(), reinterpret_cast<const unsigned char*>(data.data())};
  sasl_setprop(connection_, SASL_CHANNEL_BINDING, &binding_record_);
}

SaslConnection::~SaslConnection() {
  if (connection_ != nullptr) sasl_dispose(&connection_);
}

std::string SaslConnection::text_property(int property) const {
  const void* value = nullptr;
  if (sasl_getprop(connection_, property, &value) != SASL_OK || value == nullptr) return {};
  return static_cast<const char*>(value);
}

}  // namespace postern::auth
