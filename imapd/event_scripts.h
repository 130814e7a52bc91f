// Which Sieve scripts an event of IMAP runs (RFC 6785): the administrator's rules (imapsieve.*) and
// the script that the annotation /shared/imapsieve/script names.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "imapd/list_pattern.h"
#include "imapd/mail_event.h"
#include "lib/base/change_board.h"
#include "lib/config/config.h"
#include "lib/meta/meta.h"
#include "lib/meta/namespace.h"
#include "sieve/site/lists.h"
#include "sieve/site/programs.h"
#include "sieve/site/settings.h"
#include "sieve/site/sieve_scripts.h"
#include "sieve/site/submit.h"

namespace postern::imap {

class EventScripts {
 public:
  /// What all workers share: made once, before fork. `board` and `meta` come with start().
  static Result<std::unique_ptr<EventScripts>> create(const config::Config& config,
                                                      const std::string& hostname);
  /// In a worker. Both outlive this.
  void start(meta::Meta& meta, ChangeBoard& board);

  /// Whether any script runs for such an event. Cheap: annotations are asked for again only after
  /// some have changed. `who`: the client, whose names stand for mailboxes without an owner.
  bool listens(Cause cause, const meta::MailboxEntry& mailbox, const meta::MailboxName& from,
               const meta::Identity& who);
  bool listens(Cause cause, const meta::MailboxEntry& mailbox, const meta::Identity& who) {
    return listens(cause, mailbox, {}, who);
  }

  struct Wanted {
    std::vector<site::SieveScripts::Chosen> scripts;  // in the order of their running
    std::vector<std::string> problems;                // why others are missing
  };
  Wanted scripts_for(const MailEvent& event, const meta::Identity& who);

  [[nodiscard]] const site::Settings& site() const { return site_; }
  [[nodiscard]] site::SieveScripts& scripts() { return scripts_; }
  [[nodiscard]] site::SieveLists& lists() { return lists_; }
  [[nodiscard]] site::Submitter& submitter() { return *submitter_; }
  [[nodiscard]] const site::Programs& programs() const { return programs_; }

 private:
  struct Place {  // a mailbox by name or by special use
    explicit Place(std::string_view text) : special_use(text), pattern(text) {}
    std::string special_use;  // if it begins with a backslash
    ListPattern pattern;
    [[nodiscard]] bool fits(const meta::MailboxName& name, std::string_view client_name,
                            std::string_view special_uses) const;
  };
  struct Rule {
    Place mailbox;
    Place from;
    bool any_source = true;
    std::uint32_t causes = 0;  // bits by Cause
    std::string before = {};
    std::string after = {};
  };

  EventScripts(const config::Config& config, site::Settings settings,
               sieve::Environment environment);
  Result<void> read_rule(const config::Config& config, const std::string& name);
  [[nodiscard]] bool applies(const Rule& rule, Cause cause, const meta::MailboxEntry& mailbox,
                             const meta::MailboxName& from, const meta::Identity& who) const;
  /// The name in the annotation; empty: no script.
  const std::string& annotated(const meta::MailboxEntry& mailbox);
  Result<std::optional<std::string>> annotation_of(const meta::MailboxName& mailbox);

  site::Settings site_;
  site::SieveScripts scripts_;
  site::SieveLists lists_;
  std::unique_ptr<site::Submitter> submitter_;
  site::Programs programs_;
  std::vector<Rule> rules_;

  meta::Meta* meta_ = nullptr;
  ChangeBoard* board_ = nullptr;
  std::uint64_t known_at_ = 0;  // the board's value for annotations that known_ is from
  std::unordered_map<MailboxId, std::string> known_;
};

/// What a client of the mailbox's owner calls it; of `who` where it has none.
std::string owners_name(const meta::MailboxName& mailbox, const meta::Identity& who,
                        const meta::NamespacePrefixes& prefixes);

}  // namespace postern::imap
