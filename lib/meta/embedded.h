// EmbeddedMeta: the metadata opened by this process itself, for tools while the server is down and
// for unit tests. Exclusive: the home is locked for as long as this lives.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "lib/meta/core.h"
#include "lib/meta/home_lock.h"
#include "lib/meta/meta.h"

namespace postern::meta {

class EmbeddedMeta final : public Meta {
 public:
  /// `purpose` names this process for others who want the home: "postern rebuild-list".
  /// @error in_use  metad or another tool has it
  static Result<std::unique_ptr<EmbeddedMeta>> open(const std::string& home,
                                                    std::string_view purpose);

  [[nodiscard]] Core& core() { return *core_; }

  Result<MailboxEntry> lookup(const MailboxName& name) override;
  Result<MailboxEntry> lookup(const MailboxId& id) override;
  Result<std::vector<ListedMailbox>> list(const ListScope& scope) override;
  Result<std::vector<ListedMailbox>> list_special(const ListScope& scope) override;
  Result<std::vector<LookedUp>> look_up(const Identity& who, const std::vector<MailboxName>& names,
                                        bool children) override;
  Result<MailboxEntry> create(const NewMailbox& fresh) override;
  Result<MailboxEntry> erase(const MailboxName& name) override;
  Result<std::vector<Renamed>> rename_tree(const MailboxName& from, const MailboxName& to,
                                           const std::optional<NewMailbox>& inbox) override;
  Result<MailboxEntry> set_acl(const MailboxName& name, std::string_view identifier,
                               Rights rights) override;
  Result<MailboxEntry> set_special_use(const MailboxName& name, std::string_view uses) override;
  Result<MailboxEntry> restore(const MailboxEntry& entry) override;
  Result<std::uint64_t> list_counter(const UserName& user) override;
  Result<std::vector<MailboxEntry>> outbox(std::size_t most) override;
  Result<void> outbox_done(const MailboxId& id, std::uint64_t version) override;
  Result<void> announce(const MailboxId& id, std::string_view partition) override;
  Result<std::vector<Unlisted>> unlisted(std::int64_t before, const MailboxId& after,
                                         std::size_t most) override;
  Result<void> unlisted_done(const MailboxId& id) override;
  Result<void> subscribe(const UserName& user, std::string_view name) override;
  Result<void> unsubscribe(const UserName& user, std::string_view name) override;
  Result<std::vector<std::string>> subscriptions(const UserName& user) override;
  Result<QuotaRoot> set_quota(const MailboxName& root,
                              const std::vector<QuotaResource>& limits) override;
  Result<std::optional<QuotaRoot>> quota_root_of(const MailboxName& mailbox) override;
  Result<QuotaRoot> quota(const MailboxName& root) override;
  Result<std::vector<QuotaRoot>> quotas() override;
  Result<std::vector<QuotaRoot>> quotas_within(const MailboxName& root) override;
  Result<Reservation> reserve(const MailboxId& mailbox, std::uint64_t bytes,
                              std::uint64_t messages) override;
  void release(Reservation reservation) override;
  Result<void> report(const Usage& usage, Reservation reservation) override;
  Result<std::vector<MailboxId>> due(std::int64_t now, std::size_t most) override;
  Result<UserRecord> user(const UserName& name, bool create) override;
  Result<std::vector<UserRecord>> users() override;
  Result<UserRecord> bump_generation(const UserName& name) override;
  Result<UserRecord> restore_user(const UserRecord& found) override;
  Result<void> erase_user(const UserName& name) override;
  Result<std::vector<DueExport>> due_exports(std::string_view after, std::size_t most) override;
  Result<void> export_done(std::string_view key, std::uint64_t version) override;
  Result<std::optional<std::string>> find_mark(const Mark& mark) override;
  Result<void> set_mark(const Mark& mark, std::string_view value,
                        std::chrono::seconds life) override;
  Result<void> set_annotations(const MailboxName& mailbox,
                               const std::vector<AnnotationChange>& changes,
                               std::uint32_t most) override;
  Result<std::vector<Annotation>> annotations(const MailboxName& mailbox,
                                              const UserName& user) override;
  Result<void> set_snoozed(const Snoozed& message) override;
  Result<void> end_snoozed(const Snoozed& message) override;
  Result<std::vector<Snoozed>> snoozed(std::int64_t now, std::uint32_t most) override;
  Result<void> backup(const std::string& directory) override;

 private:
  EmbeddedMeta(HomeLock lock, std::unique_ptr<Core> core);
  /// One transaction, durable when it returns.
  template <typename Body>
  auto change(Body&& body);

  HomeLock lock_;  // released after the environment is closed
  std::unique_ptr<Core> core_;
};

}  // namespace postern::meta
