// lmtpd as the runtime sees it (lib/service/daemon.h).
#pragma once

#include <memory>
#include <optional>

#include "lib/auth/auth.h"
#include "lib/meta/meta.h"
#include "lib/service/daemon.h"
#include "lib/store/store.h"
#include "lmtpd/options.h"
#include "lmtpd/resolve.h"
#include "sieve/site/lists.h"
#include "sieve/site/programs.h"
#include "sieve/site/settings.h"
#include "sieve/site/sieve_scripts.h"
#include "sieve/site/submit.h"

namespace postern::lmtp {

class LmtpDaemon : public service::Daemon {
 public:
  [[nodiscard]] std::string_view name() const override { return "lmtpd"; }
  std::string greeting(const config::Config& config, bool tls, bool loopback) override;
  std::string goodbye(service::Goodbye why) override;
  [[nodiscard]] bool needs_login() const override { return false; }
  Result<void> prepare(const config::Config& config) override;
  Result<void> start_worker(service::Runtime& runtime) override;
  /// A message is durable by its file alone; flags that a script gave it, by the log.
  std::optional<std::int64_t> rest() override { return store_->rest(); }
  void finish() override { store_->flush_due(true); }
  void tidy() override { store_->drop_cache(); }
  service::Outcome serve(service::Session session, service::Runtime& runtime) override;

 private:
  Options options_;
  std::unique_ptr<auth::Authenticator> auth_;
  std::unique_ptr<meta::Meta> meta_;
  std::unique_ptr<store::Store> store_;
  QuotaGlance quota_;
  std::unique_ptr<site::Submitter> submitter_;
  site::Settings site_;
  site::Programs programs_;
  std::unique_ptr<site::SieveScripts> scripts_;
  std::unique_ptr<site::SieveLists> lists_;
};

}  // namespace postern::lmtp
