// The POP3 daemon as the runtime sees it.
#pragma once

#include <memory>

#include "lib/auth/auth.h"
#include "lib/meta/meta.h"
#include "lib/service/daemon.h"
#include "lib/store/store.h"
#include "pop3d/session.h"

namespace postern::pop3d {

/// The challenge of APOP as it stands in the greeting (RFC 1939 §7).
std::string apop_challenge(const service::Facts& facts);

class Pop3Daemon : public service::Daemon {
 public:
  [[nodiscard]] std::string_view name() const override { return "pop3d"; }
  std::string greeting(const config::Config& config, bool tls, bool loopback) override;
  std::string goodbye(service::Goodbye why) override;
  Result<void> prepare(const config::Config& config) override;
  Result<void> start_worker(service::Runtime& runtime) override;
  std::optional<std::int64_t> rest() override { return store_->rest(); }
  void finish() override { store_->flush_due(true); }
  void tidy() override { store_->drop_cache(); }
  service::Outcome serve(service::Session session, service::Runtime& runtime) override;

 private:
  std::unique_ptr<auth::Authenticator> auth_;
  std::unique_ptr<meta::Meta> meta_;
  std::unique_ptr<store::Store> store_;
  Worker worker_;
};

}  // namespace postern::pop3d
