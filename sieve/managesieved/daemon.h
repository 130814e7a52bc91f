// The ManageSieve daemon as the runtime sees it.
#pragma once

#include <memory>

#include "lib/auth/auth.h"
#include "lib/meta/meta.h"
#include "lib/service/daemon.h"
#include "sieve/managesieved/session.h"

namespace postern::managesieved {

class ManagesieveDaemon : public service::Daemon {
 public:
  [[nodiscard]] std::string_view name() const override { return "managesieved"; }
  std::string greeting(const config::Config& config, bool tls, bool loopback) override;
  std::string goodbye(service::Goodbye why) override;
  Result<void> prepare(const config::Config& config) override;
  Result<void> start_worker(service::Runtime& runtime) override;
  service::Outcome serve(service::Session session, service::Runtime& runtime) override;

 private:
  std::unique_ptr<auth::Authenticator> auth_;
  std::unique_ptr<meta::Meta> meta_;
  Worker worker_;
};

}  // namespace postern::managesieved
