#include "lmtpd/daemon.h"

#include <fmt/format.h>

#include "lib/config/hostname.h"
#include "lib/meta/open.h"
#include "lmtpd/reply.h"
#include "lmtpd/session.h"

namespace postern::lmtp {

std::string LmtpDaemon::greeting(const config::Config& config, bool, bool) {
  return fmt::format("220 {} LMTP Postern\r\n", config::hostname_of(config));
}

std::string LmtpDaemon::goodbye(service::Goodbye why) {
  switch (why) {
    case service::Goodbye::shutting_down:
      return Reply{421, "4.3.2", "The server is going down"}.line();
    case service::Goodbye::internal_error:
      return Reply{421, "4.3.0", "An internal error ended this session, try again later"}.line();
    case service::Goodbye::login_timeout:
      return Reply{421, "4.4.2", "Nothing heard for too long"}.line();
    case service::Goodbye::too_many:
      return Reply{421, "4.7.0", "Too many connections, try again later"}.line();
    case service::Goodbye::kicked:
      return Reply{421, "4.3.2", "Ended by the administrator"}.line();
  }
  return {};
}

Result<void> LmtpDaemon::prepare(const config::Config& config) {
  options_ = Options::from(config);
  programs_ = site::Programs::from(config);
  auth_ = TRY(auth::Authenticator::create(config));
  site_ = TRY(site::Settings::from(config));
  submitter_ = TRY(site::make_submitter(options_.sieve_submission, options_.hostname));
  return {};
}

Result<void> LmtpDaemon::start_worker(service::Runtime& runtime) {
  meta_ = meta::connect_meta(runtime.config());
  scripts_ = std::make_unique<site::SieveScripts>(runtime.config());
  lists_ = std::make_unique<site::SieveLists>(runtime.config(), site_);
  store_ = TRY(store::Store::open(runtime.config(), *meta_, runtime.board()));
  return {};
}

service::Outcome LmtpDaemon::serve(service::Session session, service::Runtime& runtime) {
  store_->set_session(session.facts.session_id);
  const Backend backend{*store_, *meta_,    *auth_,  options_,    quota_,
                        site_,   *scripts_, *lists_, *submitter_, programs_};
  return Session(std::move(session), runtime, backend).serve();
}

}  // namespace postern::lmtp
