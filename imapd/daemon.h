// imapd as the runtime sees it (lib/service/daemon.h).
#pragma once

#include <memory>

#include "imapd/event_scripts.h"
#include "imapd/lately.h"
#include "imapd/options.h"
#include "lib/auth/auth.h"
#include "lib/meta/meta.h"
#include "lib/service/daemon.h"
#include "lib/store/store.h"

namespace postern::imap {

class ImapDaemon : public service::Daemon {
 public:
  [[nodiscard]] std::string_view name() const override { return "imapd"; }
  std::string greeting(const config::Config& config, bool tls, bool loopback) override;
  std::string goodbye(service::Goodbye why) override;
  Result<void> prepare(const config::Config& config) override;
  Result<void> start_worker(service::Runtime& runtime) override;
  std::optional<std::int64_t> rest() override { return store_->rest(); }
  void finish() override { store_->flush_due(true); }
  void tidy() override;
  service::Outcome serve(service::Session session, service::Runtime& runtime) override;

 private:
  Options options_;
  std::unique_ptr<auth::Authenticator> auth_;
  std::unique_ptr<meta::Meta> meta_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Lately> lately_;
  std::unique_ptr<EventScripts> events_;
};

}  // namespace postern::imap
