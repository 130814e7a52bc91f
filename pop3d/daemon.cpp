#include "pop3d/daemon.h"

#include "lib/meta/open.h"

namespace postern::pop3d {

std::string apop_challenge(const service::Facts& facts) {
  return fmt::format("<{}@postern>", service::session_mark(facts.session_id, facts.accepted_at));
}

std::string Pop3Daemon::greeting(const config::Config& config, bool, bool) {
  if (!config.boolean("pop3.apop")) return "+OK Postern is ready\r\n";
  return fmt::format("+OK Postern is ready <{}@postern>\r\n", service::kSessionMark);
}

std::string Pop3Daemon::goodbye(service::Goodbye why) {
  switch (why) {
    case service::Goodbye::shutting_down:
      return "-ERR [SYS/TEMP] Server is shutting down\r\n";
    case service::Goodbye::internal_error:
      return "-ERR [SYS/TEMP] Internal error\r\n";
    case service::Goodbye::login_timeout:
      return "-ERR No login in time\r\n";
    case service::Goodbye::too_many:
      return "-ERR [SYS/TEMP] Too many connections\r\n";
    case service::Goodbye::kicked:
      return "-ERR Ended by the administrator\r\n";
  }
  return {};
}

Result<void> Pop3Daemon::prepare(const config::Config& config) {
  auth_ = TRY(auth::Authenticator::create(config));
  worker_.auth = auth_.get();
  return {};
}

Result<void> Pop3Daemon::start_worker(service::Runtime& runtime) {
  meta_ = meta::connect_meta(runtime.config());
  store_ = TRY(store::Store::open(runtime.config(), *meta_, runtime.board()));
  worker_.meta = meta_.get();
  worker_.store = store_.get();
  worker_.trace_directory = runtime.config().text("log.trace_directory");
  return {};
}

service::Outcome Pop3Daemon::serve(service::Session session, service::Runtime& runtime) {
  return Pop3(worker_, runtime, std::move(session)).serve();
}

}  // namespace postern::pop3d
