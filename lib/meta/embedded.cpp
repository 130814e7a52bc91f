#include "lib/meta/embedded.h"

namespace postern::meta {

EmbeddedMeta::EmbeddedMeta(HomeLock lock, std::unique_ptr<Core> core)
    : lock_(std::move(lock)), core_(std::move(core)) {}

Result<std::unique_ptr<EmbeddedMeta>> EmbeddedMeta::open(const std::string& home,
                                                         std::string_view purpose) {
  auto lock = TRY(HomeLock::take(home, purpose));
  auto core = TRY(Core::open({.home = home}));
  return std::unique_ptr<EmbeddedMeta>(new EmbeddedMeta(std::move(lock), std::move(core)));
}

template <typename Body>
auto EmbeddedMeta::change(Body&& body) {
  auto result = core_->environment().transact(body);
  if (!result) return result;
  const auto flushed = core_->environment().flush_log();
  if (!flushed) return decltype(result)(Error(flushed.error()));
  return result;
}

Result<MailboxEntry> EmbeddedMeta::lookup(const MailboxName& name) { return core_->lookup(name); }
Result<MailboxEntry> EmbeddedMeta::lookup(const MailboxId& id) { return core_->lookup(id); }

Result<std::vector<ListedMailbox>> EmbeddedMeta::list(const ListScope& scope) {
  return read_pages(scope.who,
                    [&](const auto& after) { return core_->list(scope, after, kPageRows); });
}

Result<std::vector<ListedMailbox>> EmbeddedMeta::list_special(const ListScope& scope) {
  return read_pages(
      scope.who, [&](const auto& after) { return core_->list_special(scope, after, kPageRows); });
}

Result<std::vector<LookedUp>> EmbeddedMeta::look_up(const Identity& who,
                                                    const std::vector<MailboxName>& names,
                                                    bool children) {
  return read_looked_up(TRY(core_->look_up(who, names, children)), who, names);
}

Result<MailboxEntry> EmbeddedMeta::create(const NewMailbox& fresh) {
  return change([&](db::Transaction& txn) { return core_->create(txn, fresh); });
}

Result<MailboxEntry> EmbeddedMeta::erase(const MailboxName& name) {
  return change([&](db::Transaction& txn) { return core_->erase(txn, name); });
}

Result<std::vector<Renamed>> EmbeddedMeta::rename_tree(const MailboxName& from,
                                                       const MailboxName& to,
                                                       const std::optional<NewMailbox>& inbox) {
  return change([&](db::Transaction& txn) { return core_->rename_tree(txn, from, to, inbox); });
}

Result<MailboxEntry> EmbeddedMeta::set_acl(const MailboxName& name, std::string_view identifier,
                                           Rights rights) {
  return change(
      [&](db::Transaction& txn) { return core_->set_acl(txn, name, identifier, rights); });
}

Result<MailboxEntry> EmbeddedMeta::set_special_use(const MailboxName& name, std::string_view uses) {
  return change([&](db::Transaction& txn) { return core_->set_special_use(txn, name, uses); });
}

Result<MailboxEntry> EmbeddedMeta::restore(const MailboxEntry& entry) {
  return change([&](db::Transaction& txn) { return core_->restore(txn, entry); });
}

Result<std::uint64_t> EmbeddedMeta::list_counter(const UserName& user) {
  return core_->list_counter(user);
}

Result<std::vector<MailboxEntry>> EmbeddedMeta::outbox(std::size_t most) {
  return core_->outbox(most);
}

Result<void> EmbeddedMeta::outbox_done(const MailboxId& id, std::uint64_t version) {
  return core_->environment().transact(
      [&](db::Transaction& txn) { return core_->outbox_done(txn, id, version); });
}

Result<void> EmbeddedMeta::announce(const MailboxId& id, std::string_view partition) {
  return change([&](db::Transaction& txn) { return core_->announce(txn, id, partition); });
}

Result<std::vector<Unlisted>> EmbeddedMeta::unlisted(std::int64_t before, const MailboxId& after,
                                                     std::size_t most) {
  return core_->unlisted(before, after, most);
}

Result<void> EmbeddedMeta::unlisted_done(const MailboxId& id) {
  return core_->environment().transact(
      [&](db::Transaction& txn) { return core_->unlisted_done(txn, id); });
}

Result<void> EmbeddedMeta::subscribe(const UserName& user, std::string_view name) {
  return change([&](db::Transaction& txn) { return core_->subscribe(txn, user, name); });
}

Result<void> EmbeddedMeta::unsubscribe(const UserName& user, std::string_view name) {
  return change([&](db::Transaction& txn) { return core_->unsubscribe(txn, user, name); });
}

Result<std::vector<std::string>> EmbeddedMeta::subscriptions(const UserName& user) {
  return core_->subscriptions(user);
}

Result<QuotaRoot> EmbeddedMeta::set_quota(const MailboxName& root,
                                          const std::vector<QuotaResource>& limits) {
  return change([&](db::Transaction& txn) { return core_->set_quota(txn, root, limits); });
}

Result<std::optional<QuotaRoot>> EmbeddedMeta::quota_root_of(const MailboxName& mailbox) {
  return core_->quota_root_of(mailbox);
}

Result<QuotaRoot> EmbeddedMeta::quota(const MailboxName& root) { return core_->quota(root); }
Result<std::vector<QuotaRoot>> EmbeddedMeta::quotas() { return core_->quotas(); }
Result<std::vector<QuotaRoot>> EmbeddedMeta::quotas_within(const MailboxName& root) {
  return core_->quotas_within(root);
}

Result<Reservation> EmbeddedMeta::reserve(const MailboxId& mailbox, std::uint64_t bytes,
                                          std::uint64_t messages) {
  return core_->reserve(0, mailbox, bytes, messages);
}

void EmbeddedMeta::release(Reservation reservation) { core_->release(0, reservation); }

Result<void> EmbeddedMeta::report(const Usage& usage, Reservation reservation) {
  core_->release(0, reservation);
  return core_->environment().transact(
      [&](db::Transaction& txn) { return core_->report(txn, usage); });
}

Result<std::vector<MailboxId>> EmbeddedMeta::due(std::int64_t now, std::size_t most) {
  return core_->due(now, most);
}

Result<UserRecord> EmbeddedMeta::user(const UserName& name, bool create) {
  auto record = core_->user(name);
  if (record || !create || record.error().code != Errc::no_such_user) return record;
  return change([&](db::Transaction& txn) { return core_->make_user(txn, name); });
}

Result<std::vector<UserRecord>> EmbeddedMeta::users() { return core_->users(); }

Result<UserRecord> EmbeddedMeta::restore_user(const UserRecord& found) {
  return change([&](db::Transaction& txn) { return core_->restore_user(txn, found); });
}

Result<UserRecord> EmbeddedMeta::bump_generation(const UserName& name) {
  return change([&](db::Transaction& txn) { return core_->bump_generation(txn, name); });
}

Result<void> EmbeddedMeta::erase_user(const UserName& name) {
  return change([&](db::Transaction& txn) { return core_->erase_user(txn, name); });
}

Result<std::vector<DueExport>> EmbeddedMeta::due_exports(std::string_view after, std::size_t most) {
  return core_->due_exports(after, most);
}

Result<void> EmbeddedMeta::export_done(std::string_view key, std::uint64_t version) {
  return core_->environment().transact(
      [&](db::Transaction& txn) { return core_->export_done(txn, key, version); });
}

Result<std::optional<std::string>> EmbeddedMeta::find_mark(const Mark& mark) {
  return core_->find_mark(mark);
}

Result<void> EmbeddedMeta::set_mark(const Mark& mark, std::string_view value,
                                    std::chrono::seconds life) {
  return core_->environment().transact(
      [&](db::Transaction& txn) { return core_->set_mark(txn, mark, value, life); });
}

Result<void> EmbeddedMeta::set_annotations(const MailboxName& mailbox,
                                           const std::vector<AnnotationChange>& changes,
                                           std::uint32_t most) {
  return change(
      [&](db::Transaction& txn) { return core_->set_annotations(txn, mailbox, changes, most); });
}

Result<void> EmbeddedMeta::set_snoozed(const Snoozed& message) {
  return change([&](db::Transaction& txn) { return core_->set_snoozed(txn, message); });
}

Result<void> EmbeddedMeta::end_snoozed(const Snoozed& message) {
  return change([&](db::Transaction& txn) { return core_->end_snoozed(txn, message); });
}

Result<std::vector<Snoozed>> EmbeddedMeta::snoozed(std::int64_t now, std::uint32_t most) {
  return core_->snoozed(now, most);
}

Result<std::vector<Annotation>> EmbeddedMeta::annotations(const MailboxName& mailbox,
                                                          const UserName& user) {
  return core_->annotations(mailbox, user);
}

Result<void> EmbeddedMeta::backup(const std::string& directory) {
  return core_->environment().backup(directory);
}

}  // namespace postern::meta
