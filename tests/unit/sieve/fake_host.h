// A world for scripts under test, set up by "name: value" lines.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "sieve/host.h"

namespace postern::sieve {

class FakeHost : public Host {
 public:
  std::int64_t now() override { return now_; }
  int zone_minutes(std::int64_t) override { return zone_; }
  Result<bool> mailbox_exists(std::string_view name) override { return has("mailbox", name); }
  Result<bool> mailbox_id_exists(std::string_view id) override { return has("mailboxid", id); }
  Result<bool> special_use_exists(std::string_view mailbox, std::string_view use) override;
  Result<std::optional<std::string>> metadata(std::string_view mailbox,
                                              std::string_view annotation) override;
  Result<std::optional<std::string>> script(Location location, std::string_view name) override;
  Result<bool> duplicate_seen(std::string_view handle, std::string_view id) override;
  Result<bool> vacation_answered(std::string_view, std::string_view address,
                                 std::int64_t seconds) override;
  std::vector<std::string> own_addresses() override;
  bool list_known(std::string_view list) override;
  Result<bool> list_contains(std::string_view list, std::string_view value) override;
  Result<std::vector<std::string>> list_addresses(std::string_view list) override;
  std::optional<std::string> environment(std::string_view item) override;
  const ScoreSource& spam_source() override { return spam_; }
  const ScoreSource& virus_source() override { return virus_; }

  /// Takes one line of a case's host section; false: it doesn't know the name.
  bool set(std::string_view name, std::string_view value);
  std::map<std::string, std::string> scripts;  // "personal NAME" or "global NAME" to text

 private:
  bool has(const std::string& kind, std::string_view value) const;
  std::int64_t now_ = 1'700'000'000;  // 2023-11-14T22:13:20Z
  int zone_ = 0;
  std::multimap<std::string, std::string> facts_;
  ScoreSource spam_;
  ScoreSource virus_;
};

}  // namespace postern::sieve
