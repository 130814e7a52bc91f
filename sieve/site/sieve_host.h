// What a script may ask of this server at delivery (sieve/host.h), for one recipient.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/meta/meta.h"
#include "sieve/host.h"
#include "sieve/site/lists.h"
#include "sieve/site/settings.h"
#include "sieve/site/sieve_mailboxes.h"
#include "sieve/site/sieve_scripts.h"

namespace postern::site {

class SieveHost : public sieve::Host {
 public:
  /// All outlive this.
  SieveHost(meta::Meta& meta, SieveScripts& scripts, SieveLists& lists,
            const SieveMailboxes& mailboxes, const Settings& settings)
      : meta_(meta), scripts_(scripts), lists_(lists), mailboxes_(mailboxes), settings_(settings) {}

  /// The message that the next run is about; outlives it. For items of `environment`.
  void set_message(std::string_view octets) { message_ = octets; }

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
  bool can_notify(std::string_view method) override;
  bool list_known(std::string_view list) override;
  Result<bool> list_contains(std::string_view list, std::string_view value) override;
  Result<std::vector<std::string>> list_addresses(std::string_view list) override;
  std::optional<std::string> environment(std::string_view item) override;
  const sieve::ScoreSource& spam_source() override { return settings_.spam; }
  const sieve::ScoreSource& virus_source() override { return settings_.virus; }

 private:
  meta::Meta& meta_;
  SieveScripts& scripts_;
  SieveLists& lists_;
  const SieveMailboxes& mailboxes_;
  const Settings& settings_;
  std::string_view message_;
};

/// What the host looks for, and delivery notes once it has succeeded.
meta::Mark duplicate_mark(const meta::UserName& user, std::string_view handle,
                          std::string_view unique_id);
/// Its value is the time of the reply, in seconds since 1970.
meta::Mark vacation_mark(const meta::UserName& user, std::string_view handle,
                         std::string_view address);

}  // namespace postern::site
