#include "sieve/managesieved/daemon.h"

#include "lib/meta/open.h"

namespace postern::managesieved {

// RFC 5804 §1.7: the greeting is the list of capabilities.
std::string ManagesieveDaemon::greeting(const config::Config& config, bool tls, bool loopback) {
  const auth::Channel channel{.protocol = "sieve",
                              .tls = tls,
                              .loopback = loopback,
                              .channel_binding = {},
                              .client_certificate = {}};
  const bool starttls = !tls && !config.names_under("tls.certificate").empty();
  return capabilities(config, *auth_, channel, starttls, "") + "OK \"Postern is ready\"\r\n";
}

std::string ManagesieveDaemon::goodbye(service::Goodbye why) {
  switch (why) {
    case service::Goodbye::shutting_down:
      return "BYE (TRYLATER) \"Server is shutting down\"\r\n";
    case service::Goodbye::internal_error:
      return "BYE (TRYLATER) \"Internal error\"\r\n";
    case service::Goodbye::login_timeout:
      return "BYE \"No login in time\"\r\n";
    case service::Goodbye::too_many:
      return "BYE (TRYLATER) \"Too many connections\"\r\n";
    case service::Goodbye::kicked:
      return "BYE \"Ended by the administrator\"\r\n";
  }
  return {};
}

Result<void> ManagesieveDaemon::prepare(const config::Config& config) {
  auth_ = TRY(auth::Authenticator::create(config));
  worker_.auth = auth_.get();
  return {};
}

Result<void> ManagesieveDaemon::start_worker(service::Runtime& runtime) {
  meta_ = meta::connect_meta(runtime.config());
  worker_.meta = meta_.get();
  worker_.trace_directory = runtime.config().text("log.trace_directory");
  return {};
}

service::Outcome ManagesieveDaemon::serve(service::Session session, service::Runtime& runtime) {
  return Managesieve(worker_, runtime, std::move(session)).serve();
}

}  // namespace postern::managesieved
