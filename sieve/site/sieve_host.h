// What a script may ask of this server at delivery (sieve/host.h), for one recipient.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/meta/meta.h"
#include "sieve/host.h"
#include "sieve/site/sieve_mailboxes.h"
#include "sieve/site/sieve_scripts.h"

namespace postern::site {

class SieveHost : public sieve::Host {
 public:
  /// All outlive this. `domain`: of addresses that are written without one.
  SieveHost(meta::Meta& meta, SieveScripts& scripts, const SieveMailboxes& mailboxes,
            std::string_view hostname, std::string_view domain)
      : meta_(meta),
        scripts_(scripts),
        mailboxes_(mailboxes),
        hostname_(hostname),
        domain_(domain) {}

  std::int64_t now() override;
  int zone_minutes(std::int64_t at) override;
  Result<bool> mailbox_exists(std::string_view name) override;
  Result<bool> mailbox_id_exists(std::string_view id) override;
  Result<bool> special_use_exists(std::string_view mailbox, std::string_view use) override;
  Result<std::optional<std::string>> metadata(std::string_view mailbox,
                                              std::string_view annotation) override;
  Result<std::optional<std::string>> script(sieve::Location location,
                                            std::string_view name) override;
  Result<bool> duplicate_seen(std::string_view handle, std::string_view unique_id) override;
  Result<bool> vacation_answered(std::string_view handle, std::string_view address,
                                 std::int64_t seconds) override;
  std::vector<std::string> own_addresses() override;
  std::optional<std::string> environment(std::string_view item) override;

 private:
  meta::Meta& meta_;
  SieveScripts& scripts_;
  const SieveMailboxes& mailboxes_;
  std::string_view hostname_;
  std::string_view domain_;
};

/// What the host looks for, and delivery notes once it has succeeded.
meta::Mark duplicate_mark(const meta::UserName& user, std::string_view handle,
                          std::string_view unique_id);
/// Its value is the time of the reply, in seconds since 1970.
meta::Mark vacation_mark(const meta::UserName& user, std::string_view handle,
                         std::string_view address);

}  // namespace postern::site
