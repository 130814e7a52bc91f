#include "lib/auth/auth.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "lib/auth/sasl.h"
#include "lib/base/assert.h"
#include "lib/base/text.h"
#include "lib/meta/recipient.h"

namespace postern::auth {
namespace {

bool is_plaintext(std::string_view mechanism) {
  return iequals(mechanism, "PLAIN") || iequals(mechanism, "LOGIN");
}

bool is_anonymous(std::string_view mechanism) { return iequals(mechanism, "ANONYMOUS"); }

/// "group:NAME" for each group of the system that has `user`.
std::vector<std::string> system_groups_of(const std::string& user) {
  const passwd* const entry = ::getpwnam(user.c_str());
  if (entry == nullptr) return {};
  std::vector<gid_t> ids(64);
  int count = static_cast<int>(ids.size());
  if (::getgrouplist(user.c_str(), entry->pw_gid, ids.data(), &count) < 0) {
    ids.resize(static_cast<std::size_t>(count));
    ::getgrouplist(user.c_str(), entry->pw_gid, ids.data(), &count);
  }
  ids.resize(static_cast<std::size_t>(count));
  std::vector<std::string> names;
  for (const gid_t id : ids)
    if (const group* const g = ::getgrgid(id)) names.push_back(std::string("group:") + g->gr_name);
  return names;
}

meta::Identity make_identity(const Authenticator::Settings& settings, const meta::UserName& user) {
  meta::Identity out;
  out.user = user;
  out.admin = settings.is_admin(user.text());
  const auto [first, last] = settings.groups.equal_range(user.text());
  for (auto at = first; at != last; ++at) out.groups.push_back(at->second);
  if (settings.system_groups)
    for (auto& name : system_groups_of(user.text())) out.groups.push_back(std::move(name));
  return out;
}

/// What the library says after success.
Result<Login> login_of(const Authenticator::Settings& settings, const SaslConnection& sasl,
                       std::string mechanism) {
  Login out;
  if (is_anonymous(mechanism)) {
    out.identity.anonymous = true;
    out.mechanism = std::move(mechanism);
    return out;
  }
  const auto canonical = [&](int property) {
    return meta::canonical_user(sasl.text_property(property), settings.default_domain);
  };
  out.identity = make_identity(settings, TRY(canonical(SASL_USERNAME)));
  const std::string authenticated = sasl.text_property(SASL_AUTHUSER);
  out.authenticated = authenticated.empty() ? out.identity.user : TRY(canonical(SASL_AUTHUSER));
  out.mechanism = std::move(mechanism);
  out.detail = sasl.detail();
  return out;
}

}  // namespace

void Secret::wipe() {
  ::explicit_bzero(octets_.data(), octets_.size());
  octets_.clear();
}

// --- Exchange

struct Exchange::Impl {
  Impl(const Authenticator::Settings& s, const Channel& channel, bool plaintext)
      : settings(s), plaintext_allowed(plaintext), sasl(s, channel, plaintext) {}

  Result<Step> outcome(int code, const char* out, unsigned size) {
    if (code != SASL_OK && code != SASL_CONTINUE) return sasl_error(code, mechanism);
    Step step;
    if (code == SASL_OK) step.login = TRY(login_of(settings, sasl, mechanism));
    if (code == SASL_CONTINUE || size > 0)
      step.challenge = out != nullptr ? std::string(out, size) : std::string();
    return step;
  }

  const Authenticator::Settings& settings;
  bool plaintext_allowed;
  SaslConnection sasl;
  /// RFC 5802 §6: with -PLUS the client's first words name the binding that it takes, "p=NAME,".
  void hear(std::string_view words) {
    if (std::exchange(heard_, true) || !mechanism.ends_with("-PLUS")) return;
    if (words.starts_with("p=tls-server-end-point,")) sasl.bind_to_endpoint();
  }

  std::string mechanism;
  bool heard_ = false;
};

Exchange::Exchange(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Exchange::Exchange(Exchange&&) noexcept = default;
Exchange& Exchange::operator=(Exchange&&) noexcept = default;
Exchange::~Exchange() = default;

Result<Step> Exchange::start(std::string_view mechanism, const std::optional<Secret>& initial) {
  ASSERT(impl_->mechanism.empty());
  if (impl_->sasl.get() == nullptr) return impl_->sasl.error();
  if (is_plaintext(mechanism) && !impl_->plaintext_allowed)
    return fail(Errc::privacy_required, "{} without TLS", mechanism);
  impl_->mechanism = to_upper(mechanism);
  const char* out = nullptr;
  unsigned size = 0;
  const std::string_view in = initial ? initial->reveal() : std::string_view();
  if (initial) impl_->hear(in);
  const int code =
      sasl_server_start(impl_->sasl.get(), impl_->mechanism.c_str(), initial ? in.data() : nullptr,
                        static_cast<unsigned>(in.size()), &out, &size);
  return impl_->outcome(code, out, size);
}

Result<Step> Exchange::step(const Secret& response) {
  ASSERT(!impl_->mechanism.empty());
  const char* out = nullptr;
  unsigned size = 0;
  const std::string_view in = response.reveal();
  impl_->hear(in);
  const int code =
      sasl_server_step(impl_->sasl.get(), in.data(), static_cast<unsigned>(in.size()), &out, &size);
  return impl_->outcome(code, out, size);
}

// --- Authenticator

Authenticator::Authenticator(std::unique_ptr<Settings> settings) : settings_(std::move(settings)) {}
Authenticator::~Authenticator() = default;

Result<std::unique_ptr<Authenticator>> Authenticator::create(const config::Config& config) {
  TRY(load_sasl());
  auto settings = std::make_unique<Settings>(TRY(Settings::from(config)));
  return std::unique_ptr<Authenticator>(new Authenticator(std::move(settings)));
}

bool Authenticator::plaintext_allowed(const Channel& channel) const {
  return channel.tls || (channel.loopback && settings_->plaintext_loopback);
}

std::vector<std::string> Authenticator::mechanisms(const Channel& channel) const {
  const bool plaintext = plaintext_allowed(channel);
  const unsigned key = (plaintext ? 1U : 0U) | (channel.channel_binding.empty() ? 0U : 2U) |
                       (channel.client_certificate.empty() ? 0U : 4U) | (channel.tls ? 8U : 0U);
  const auto [at, fresh] = announced_.try_emplace(key);
  if (!fresh) return at->second;
  const SaslConnection sasl(*settings_, channel, plaintext);
  const char* list = nullptr;
  if (sasl.get() == nullptr ||
      sasl_listmech(sasl.get(), nullptr, "", " ", "", &list, nullptr, nullptr) != SASL_OK)
    return {};
  for (const auto name : split(list, ' '))
    if (!name.empty()) at->second.emplace_back(name);
  return at->second;
}

Exchange Authenticator::begin(const Channel& channel) const {
  return Exchange(
      std::make_unique<Exchange::Impl>(*settings_, channel, plaintext_allowed(channel)));
}

Result<Login> Authenticator::check_password(const Channel& channel, std::string_view user,
                                            const Secret& password) const {
  if (!plaintext_allowed(channel)) return fail(Errc::privacy_required, "password without TLS");
  const SaslConnection sasl(*settings_, channel, true);
  if (sasl.get() == nullptr) return sasl.error();
  const std::string name(user);
  const std::string_view octets = password.reveal();
  const int code = sasl_checkpass(sasl.get(), name.c_str(), static_cast<unsigned>(name.size()),
                                  octets.data(), static_cast<unsigned>(octets.size()));
  // A name or password that the library finds malformed is a wrong one: nobody is told more.
  if (code == SASL_BADPROT || code == SASL_BADPARAM || code == SASL_BUFOVER)
    return fail(Errc::auth_failed, "malformed user name or password");
  if (code != SASL_OK) return sasl_error(code, "sasl_checkpass");
  return login_of(*settings_, sasl, "password");
}

Result<Login> Authenticator::check_apop(const Channel& channel, std::string_view challenge,
                                        std::string_view user, std::string_view digest) const {
  const SaslConnection sasl(*settings_, channel, false);
  if (sasl.get() == nullptr) return sasl.error();
  const std::string stamp(challenge);
  const std::string words = fmt::format("{} {}", user, digest);
  const int code = sasl_checkapop(sasl.get(), stamp.c_str(), static_cast<unsigned>(stamp.size()),
                                  words.c_str(), static_cast<unsigned>(words.size()));
  if (code == SASL_BADPROT || code == SASL_BADPARAM || code == SASL_BUFOVER)
    return fail(Errc::auth_failed, "malformed user name or digest");
  if (code != SASL_OK) return sasl_error(code, "sasl_checkapop");
  return login_of(*settings_, sasl, "APOP");
}

Result<bool> Authenticator::knows(const meta::UserName& user) const {
  const SaslConnection sasl(*settings_, {}, true);
  if (sasl.get() == nullptr) return sasl.error();
  const int code = sasl_user_exists(sasl.get(), nullptr, nullptr, user.text().c_str());
  if (code == SASL_OK || code == SASL_DISABLED) return true;
  if (code == SASL_NOUSER || code == SASL_NOVERIFY) return false;
  const Error error = sasl_error(code, "sasl_user_exists");
  return Error{Errc::unavailable, error.text};
}

meta::Identity Authenticator::identity_of(const meta::UserName& user) const {
  return make_identity(*settings_, user);
}

const std::string& Authenticator::default_domain() const { return settings_->default_domain; }

}  // namespace postern::auth
