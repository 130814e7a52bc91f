// Client: the metadata through metad. Blocking; one thread; opened after fork. A lost connection is
// made again and the request repeated until the time limit (option meta.timeout): callers see a
// pause, then Errc::unavailable. report(), release() and set_mark() are sent and not waited for:
// with metad's death the last of them may be lost.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "lib/base/fd.h"
#include "lib/meta/meta.h"
#include "lib/meta/wire.h"

namespace postern::meta {

class Client final : public Meta {
 public:
  /// Doesn't connect yet.
  Client(std::string socket_path, std::chrono::milliseconds timeout);

  /// Whether metad answers now; waits for no restart. @error unavailable
  Result<void> ping();

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
  template <typename T, typename... Args>
  Result<T> call(wire::Op op, const Args&... args);
  template <typename... Args>
  std::string request(wire::Op op, std::uint8_t flags, const Args&... args);

  Result<std::vector<ListedMailbox>> pages(wire::Op op, const ListScope& scope);

  /// The reply to `request`, over as many connections as it takes. The view lasts until the next.
  Result<std::string_view> exchange(const std::string& request, std::int64_t deadline);
  Result<std::string_view> exchange_once(std::string_view request, std::int64_t deadline);
  Result<void> send_only(const std::string& frames);
  Result<void> connect(std::int64_t deadline);
  Result<void> send(std::string_view bytes);
  Result<std::string_view> receive(std::uint64_t sequence, std::int64_t deadline);
  void drop();

  std::string path_;
  std::chrono::milliseconds timeout_;
  std::string instance_;
  std::uint64_t sequence_ = 0;
  Fd socket_;
  std::string input_;     // received and not used up
  std::size_t used_ = 0;  // of input_
};

}  // namespace postern::meta
