// Core: the metadata operations over the tables, in one transaction each. Both forms stand on it:
// EmbeddedMeta calls it directly, metad for its clients. Not thread-safe: one thread calls it.
//
// A mutation gets the transaction from its caller, who commits it (and may put more into it: metad
// stores the reply there). Reads see the last committed state.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/db/environment.h"
#include "lib/meta/list_page.h"
#include "lib/meta/meta.h"
#include "lib/meta/tables.h"

namespace postern::meta {

class Core {
 public:
  static Result<std::unique_ptr<Core>> open(const db::EnvironmentOptions& options);

  [[nodiscard]] db::Environment& environment() { return *env_; }
  [[nodiscard]] Tables& tables() { return tables_; }

  // Mailboxes list: mailboxes.cpp, rename.cpp, list.cpp. As in Meta.
  Result<MailboxEntry> lookup(const MailboxName& name);
  Result<MailboxEntry> lookup(const MailboxId& id);
  /// At most about `most` rows with a key after `after`; see ListPage.
  Result<ListPage> list(const ListScope& scope, std::string_view after, std::size_t most);
  Result<ListPage> list_special(const ListScope& scope, std::string_view after, std::size_t most);
  /// One row a name: see read_looked_up().
  Result<std::string> look_up(const Identity& who, const std::vector<MailboxName>& names,
                              bool children);
  Result<MailboxEntry> create(db::Transaction& txn, const NewMailbox& fresh);
  Result<MailboxEntry> erase(db::Transaction& txn, const MailboxName& name);
  Result<std::vector<Renamed>> rename_tree(db::Transaction& txn, const MailboxName& from,
                                           const MailboxName& to,
                                           const std::optional<NewMailbox>& inbox);
  Result<MailboxEntry> set_acl(db::Transaction& txn, const MailboxName& name,
                               std::string_view identifier, Rights rights);
  Result<MailboxEntry> set_special_use(db::Transaction& txn, const MailboxName& name,
                                       std::string_view uses);
  Result<MailboxEntry> restore(db::Transaction& txn, const MailboxEntry& entry);
  Result<std::uint64_t> list_counter(const UserName& user);
  Result<std::vector<MailboxEntry>> outbox(std::size_t most);
  Result<void> outbox_done(db::Transaction& txn, const MailboxId& id, std::uint64_t version);
  Result<void> announce(db::Transaction& txn, const MailboxId& id, std::string_view partition);
  Result<std::vector<Unlisted>> unlisted(std::int64_t before, const MailboxId& after,
                                         std::size_t most);
  Result<void> unlisted_done(db::Transaction& txn, const MailboxId& id);

  // Subscriptions and annotations: subscriptions.cpp, annotations.cpp.
  Result<void> subscribe(db::Transaction& txn, const UserName& user, std::string_view name);
  Result<void> unsubscribe(db::Transaction& txn, const UserName& user, std::string_view name);
  Result<std::vector<std::string>> subscriptions(const UserName& user);
  Result<void> set_annotations(db::Transaction& txn, const MailboxName& mailbox,
                               const std::vector<AnnotationChange>& changes, std::uint32_t most);
  Result<std::vector<Annotation>> annotations(const MailboxName& mailbox, const UserName& user);

  // Snoozed messages: snoozed.cpp.
  Result<void> set_snoozed(db::Transaction& txn, const Snoozed& message);
  Result<void> end_snoozed(db::Transaction& txn, const Snoozed& message);
  Result<std::vector<Snoozed>> snoozed(std::int64_t now, std::uint32_t most);

  // Quota: quota.cpp.
  Result<QuotaRoot> set_quota(db::Transaction& txn, const MailboxName& root,
                              const std::vector<QuotaResource>& limits);
  Result<std::optional<QuotaRoot>> quota_root_of(const MailboxName& mailbox);
  Result<QuotaRoot> quota(const MailboxName& root);
  Result<std::vector<QuotaRoot>> quotas();
  Result<std::vector<QuotaRoot>> quotas_within(const MailboxName& root);
  Result<void> report(db::Transaction& txn, const Usage& usage);
  Result<std::vector<MailboxId>> due(std::int64_t now, std::size_t most);

  // Reservations live in memory only and belong to a session: reservations.cpp.
  Result<Reservation> reserve(std::uint64_t session, const MailboxId& mailbox, std::uint64_t bytes,
                              std::uint64_t messages);
  void release(std::uint64_t session, Reservation reservation);
  void end_session(std::uint64_t session);

  // Users and marks: users.cpp, marks.cpp.
  Result<UserRecord> user(const UserName& name);
  Result<UserRecord> make_user(db::Transaction& txn, const UserName& name);
  Result<std::vector<UserRecord>> users();
  Result<UserRecord> bump_generation(db::Transaction& txn, const UserName& name);
  Result<UserRecord> restore_user(db::Transaction& txn, const UserRecord& found);
  Result<void> erase_user(db::Transaction& txn, const UserName& name);
  Result<std::vector<DueExport>> due_exports(std::string_view after, std::size_t most);
  Result<void> export_done(db::Transaction& txn, std::string_view key, std::uint64_t version);
  Result<std::optional<std::string>> find_mark(const Mark& mark);
  Result<void> set_mark(db::Transaction& txn, const Mark& mark, std::string_view value,
                        std::chrono::seconds life);
  /// Looks at the next `most` marks, removes the expired ones, and gives how many those were. Goes
  /// round the table from call to call.
  Result<std::size_t> sweep_marks(db::Transaction& txn, std::size_t most);

  // The last reply of each client instance: requests.cpp.
  struct LastRequest {
    std::uint64_t sequence = 0;
    std::string reply;
  };
  Result<std::optional<LastRequest>> last_request(std::string_view instance);
  Result<void> remember_request(db::Transaction& txn, std::string_view instance,
                                std::uint64_t sequence, std::string_view reply);
  /// Forgets what is older than `age`.
  Result<void> sweep_requests(db::Transaction& txn, std::chrono::seconds age);

 private:
  Core(std::unique_ptr<db::Environment> env, Tables tables);

  // mailboxes.cpp
  Result<std::optional<MailboxEntry>> find(db::Transaction* txn, const MailboxName& name);
  Result<MailboxEntry> existing(db::Transaction& txn, const MailboxName& name);
  /// Gives it a new version and writes its rows and its place in the outbox. `before`: the state
  /// that it replaces (same id), null for a new one.
  Result<void> write_entry(db::Transaction& txn, MailboxEntry& entry, const MailboxEntry* before);
  /// The same with the version that it has, and not into the outbox.
  Result<void> write_rows(db::Transaction& txn, const MailboxEntry& entry,
                          const MailboxEntry* before);
  Result<void> remove_entry(db::Transaction& txn, const MailboxEntry& entry);
  Result<void> write_rights(db::Transaction& txn, const MailboxEntry& entry, bool present);
  /// Tells whoever may see `entry` that the list has changed.
  Result<void> touch(db::Transaction& txn, const MailboxEntry& entry);
  Result<std::uint64_t> next(db::Transaction& txn, const std::string& counter,
                             std::uint64_t at_least = 0);

  // list.cpp
  Result<ListPage> walk(const ListScope& scope, std::string_view after, std::size_t most,
                        bool only_special);
  Result<bool> has_children(const Identity& who, const MailboxName& root);

  // users.cpp
  /// The export of `user` has become stale; nobody: of no user.
  Result<void> note_export(db::Transaction& txn, const UserName& user);
  /// The file of one who is gone is to be removed.
  Result<void> note_gone(db::Transaction& txn, const UserRecord& user);
  Result<DueExport> due_export(std::string_view key, std::string_view value);

  // rename.cpp
  Result<std::vector<MailboxEntry>> tree(db::Transaction& txn, const MailboxName& root);
  Result<std::vector<Renamed>> plan_rename(db::Transaction& txn, const MailboxName& from,
                                           const MailboxName& to, bool only_inbox);
  Result<void> move_quota_roots(db::Transaction& txn, const MailboxName& from,
                                const MailboxName& to);
  Result<void> move_user(db::Transaction& txn, const UserName& from, const UserName& to);
  Result<void> move_subscriptions(db::Transaction& txn, const MailboxName& from,
                                  const MailboxName& to);

  // quota.cpp
  /// The key of a quota root as an administrator knows it.
  static std::string root_text(const std::string& key);
  Result<std::string> nearest_root(db::Transaction* txn, const MailboxName& name);
  /// Gives `mailbox` a usage row under its nearest root. @error over_quota  (MAILBOX, if `check`)
  Result<void> begin_usage(db::Transaction& txn, const MailboxEntry& entry, bool check);
  Result<void> end_usage(db::Transaction& txn, const MailboxEntry& entry);
  /// After a change of names or roots: counts the mailbox for what is now its nearest root.
  /// With `check`, a root that it comes to must have room. @error over_quota
  Result<void> reroot(db::Transaction& txn, const MailboxEntry& entry, bool check);
  Result<void> reroot_tree(db::Transaction& txn, const MailboxName& root);
  Result<void> charge(db::Transaction& txn, const std::string& root,
                      const std::array<std::uint64_t, kResources>& usage, bool add, bool check);
  Result<QuotaRoot> present(const std::string& root, const QuotaRow& row);
  Result<void> set_due(db::Transaction& txn, const MailboxId& id, std::int64_t before,
                       std::int64_t after);

  // annotations.cpp
  Result<MailboxId> annotated(db::Transaction* txn, const MailboxName& mailbox);
  Result<void> charge_annotation(db::Transaction& txn, const MailboxId& id, std::uint64_t before,
                                 std::uint64_t after);
  Result<void> copy_annotations(db::Transaction& txn, const MailboxId& from, const MailboxId& to);
  /// Private ones of all mailboxes; `to` empty: they are removed.
  Result<void> move_annotations(db::Transaction& txn, const UserName& from, const UserName& to);

  struct Reserved {
    std::uint64_t session = 0;
    std::string root;
    std::uint64_t bytes = 0;
    std::uint64_t messages = 0;
  };
  struct Held {
    std::uint64_t bytes = 0;
    std::uint64_t messages = 0;
  };
  void unreserve(const Reserved& reserved);

  std::unique_ptr<db::Environment> env_;  // outlives the tables
  Tables tables_;
  std::unordered_map<std::uint64_t, Reserved> reservations_;
  std::unordered_map<std::string, Held> held_;  // by root
  std::uint64_t last_reservation_ = 0;
  std::string sweep_from_;
};

}  // namespace postern::meta
