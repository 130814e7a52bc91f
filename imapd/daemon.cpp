// imapd as the runtime sees it: what the fork server prepares once, what each worker opens.
#include "imapd/daemon.h"

#include "imapd/capability.h"
#include "imapd/session.h"
#include "lib/meta/open.h"
#include "lib/mime/charset.h"

namespace postern::imap {

// RFC 9051 §7.1: with CAPABILITY, so that no client has to ask.
std::string ImapDaemon::greeting(const config::Config&, bool tls, bool loopback) {
  return fmt::format("* OK [CAPABILITY {}] {} Postern ready\r\n",
                     greeting_capabilities(*auth_, options_, tls, loopback), options_.hostname);
}

std::string ImapDaemon::goodbye(service::Goodbye why) {
  switch (why) {
    case service::Goodbye::shutting_down:
      return "* BYE [UNAVAILABLE] The server is going down\r\n";
    case service::Goodbye::internal_error:
      return "* BYE [UNAVAILABLE] An internal error ended this session, connect again\r\n";
    case service::Goodbye::login_timeout:
      return "* BYE Nobody has logged in for too long\r\n";
    case service::Goodbye::too_many:
      return "* BYE [LIMIT] Too many connections\r\n";
    case service::Goodbye::kicked:
      return "* BYE The administrator ended this session\r\n";
  }
  return {};
}

Result<void> ImapDaemon::prepare(const config::Config& config) {
  options_ = Options::from(config);
  auth_ = TRY(auth::Authenticator::create(config));
  events_ = TRY(EventScripts::create(config, options_.hostname));
  mime::warm_up();
  return {};
}

Result<void> ImapDaemon::start_worker(service::Runtime& runtime) {
  meta_ = meta::connect_meta(runtime.config());
  store_ = TRY(store::Store::open(runtime.config(), *meta_, runtime.board()));
  lately_ = std::make_unique<Lately>(*meta_, options_);
  events_->start(*meta_, runtime.board());
  return {};
}

void ImapDaemon::tidy() {
  store_->drop_cache();
  lately_->forget();
}

service::Outcome ImapDaemon::serve(service::Session session, service::Runtime& runtime) {
  store_->set_session(session.facts.session_id);
  const Backend backend{*store_, *meta_, *auth_, options_, *lately_, *events_};
  return Session(std::move(session), runtime, backend).serve();
}

}  // namespace postern::imap
