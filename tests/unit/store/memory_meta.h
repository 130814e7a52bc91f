// MemoryMeta: metadata for the store's tests, in memory. Names are kept, other operations refuse.
#pragma once

#include <functional>
#include <map>
#include <mutex>

#include "lib/base/clock.h"
#include "lib/meta/meta.h"

namespace postern::store::testing {

using namespace meta;  // NOLINT: the signatures below are the interface's

class MemoryMeta final : public Meta {
 public:
  std::optional<std::uint64_t> limit;  // messages that may still be reserved
  std::map<MailboxId, Usage> usage;
  int reserved = 0;
  std::function<void()> at_create, at_erase;

  Result<MailboxEntry> lookup(const MailboxName& name) override {
    const auto at = names_.find(name);
    if (at == names_.end()) return fail(Errc::no_such_mailbox, "{}", name.text());
    return at->second;
  }
  Result<MailboxEntry> lookup(const MailboxId& id) override {
    for (const auto& [name, entry] : names_)
      if (entry.id == id) return entry;
    return fail(Errc::no_such_mailbox, "{}", id.hex());
  }
  Result<MailboxEntry> create(const NewMailbox& fresh) override {
    if (at_create) at_create();
    if (names_.contains(fresh.name)) return fail(Errc::mailbox_exists, "{}", fresh.name.text());
    MailboxEntry entry;
    entry.id = fresh.id;
    entry.name = fresh.name;
    entry.partition = fresh.partition;
    entry.acl = fresh.acl;
    entry.special_use = fresh.special_use;
    entry.uidvalidity = UidValidity(++uidvalidity_);
    entry.version = ++version_;
    entry.created = wall_seconds();
    unlisted_.erase(entry.id);
    return names_[fresh.name] = entry;
  }
  Result<MailboxEntry> erase(const MailboxName& name) override {
    auto entry = lookup(name);
    if (!entry) return entry;
    if (at_erase) at_erase();
    names_.erase(name);
    unlisted_[entry->id] = {entry->id, entry->partition, wall_seconds()};
    return entry;
  }
  Result<std::vector<Renamed>> rename_tree(const MailboxName& from, const MailboxName& to,
                                           const std::optional<NewMailbox>& inbox) override {
    auto entry = lookup(from);
    if (!entry) return entry.error();
    MailboxEntry after = *entry;
    after.name = to;
    after.version = ++version_;
    names_.erase(from);
    names_[to] = after;
    outbox_[after.id] = after;
    if (inbox) {
      auto fresh = create(*inbox);
      if (fresh) outbox_[fresh->id] = *fresh;
    }
    return std::vector<Renamed>{{*entry, after}};
  }
  Result<std::vector<MailboxEntry>> outbox(std::size_t) override {
    std::vector<MailboxEntry> entries;
    for (const auto& [id, entry] : outbox_) entries.push_back(entry);
    return entries;
  }
  Result<void> outbox_done(const MailboxId& id, std::uint64_t) override {
    outbox_.erase(id);
    return {};
  }
  Result<Reservation> reserve(const MailboxId&, std::uint64_t, std::uint64_t messages) override {
    if (limit && messages > *limit) return fail(Errc::over_quota, "{} messages", messages);
    ++reserved;
    return Reservation{7};
  }
  void release(Reservation) override { --reserved; }
  Result<void> report(const Usage& now, Reservation reservation) override {
    if (reservation.id != 0) --reserved;
    Usage& known = usage[now.mailbox];
    if (known.modseq <= now.modseq) known = now;
    return {};
  }

  Result<void> announce(const MailboxId& id, std::string_view partition) override {
    unlisted_[id] = {id, std::string(partition), wall_seconds()};
    return {};
  }
  Result<std::vector<Unlisted>> unlisted(std::int64_t before, const MailboxId& after,
                                         std::size_t) override {
    std::vector<Unlisted> found;
    for (const auto& [id, one] : unlisted_)
      if (id > after && one.since <= before) found.push_back(one);
    return found;
  }
  Result<void> unlisted_done(const MailboxId& id) override {
    unlisted_.erase(id);
    return {};
  }
  Result<std::vector<ListedMailbox>> list(const ListScope&) override { return unused(); }
  Result<std::vector<ListedMailbox>> list_special(const ListScope&) override { return unused(); }
  Result<std::vector<LookedUp>> look_up(const Identity&, const std::vector<MailboxName>&,
                                        bool) override {
    return unused();
  }
  Result<MailboxEntry> set_acl(const MailboxName&, std::string_view, Rights) override {
    return unused();
  }
  Result<MailboxEntry> set_special_use(const MailboxName&, std::string_view) override {
    return unused();
  }
  Result<MailboxEntry> restore(const MailboxEntry&) override { return unused(); }
  Result<std::uint64_t> list_counter(const UserName&) override { return unused(); }
  Result<void> subscribe(const UserName&, std::string_view) override { return unused(); }
  Result<void> unsubscribe(const UserName&, std::string_view) override { return unused(); }
  Result<std::vector<std::string>> subscriptions(const UserName&) override { return unused(); }
  Result<QuotaRoot> set_quota(const MailboxName&, const std::vector<QuotaResource>&) override {
    return unused();
  }
  Result<std::optional<QuotaRoot>> quota_root_of(const MailboxName&) override { return unused(); }
  Result<QuotaRoot> quota(const MailboxName&) override { return unused(); }
  Result<std::vector<QuotaRoot>> quotas() override { return unused(); }
  Result<std::vector<QuotaRoot>> quotas_within(const MailboxName&) override { return unused(); }
  Result<std::vector<MailboxId>> due(std::int64_t, std::size_t) override { return unused(); }
  Result<UserRecord> user(const UserName& name, bool) override {
    UserRecord record;
    record.name = name;
    name.text().copy(reinterpret_cast<char*>(record.id.bytes.data()), record.id.bytes.size());
    return record;
  }
  Result<std::vector<UserRecord>> users() override { return unused(); }
  Result<UserRecord> bump_generation(const UserName&) override { return unused(); }
  Result<UserRecord> restore_user(const UserRecord&) override { return unused(); }
  Result<void> erase_user(const UserName&) override { return unused(); }
  Result<std::vector<DueExport>> due_exports(std::string_view, std::size_t) override {
    return unused();
  }
  Result<void> export_done(std::string_view, std::uint64_t) override { return unused(); }
  Result<std::optional<std::string>> find_mark(const Mark&) override { return unused(); }
  Result<void> set_mark(const Mark&, std::string_view, std::chrono::seconds) override {
    return unused();
  }
  Result<void> set_annotations(const MailboxName&, const std::vector<AnnotationChange>&,
                               std::uint32_t) override {
    return unused();
  }
  Result<void> set_snoozed(const Snoozed&) override { return unused(); }
  Result<void> end_snoozed(const Snoozed&) override { return unused(); }
  Result<std::vector<Snoozed>> snoozed(std::int64_t, std::uint32_t) override { return unused(); }
  Result<std::vector<Annotation>> annotations(const MailboxName&, const UserName&) override {
    return unused();
  }
  Result<void> backup(const std::string&) override { return unused(); }

 private:
  static Error unused() { return fail(Errc::not_supported, "not for these tests"); }
  std::map<MailboxName, MailboxEntry> names_;
  std::map<MailboxId, MailboxEntry> outbox_;
  std::map<MailboxId, Unlisted> unlisted_;
  std::uint32_t uidvalidity_ = 1'700'000'000;
  std::uint64_t version_ = 0;
};

}  // namespace postern::store::testing
