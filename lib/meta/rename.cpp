// Core: RENAME of a tree, of an INBOX and of a whole user, in one transaction.
#include "lib/meta/core.h"
#include "lib/meta/namespace.h"

namespace postern::meta {
namespace {

/// `name`, which is within `from`, at its place below `to`.
Result<MailboxName> moved(const MailboxName& name, const MailboxName& from, const MailboxName& to) {
  if (name == from) return to;
  return to.child(name.path().substr(from.path().size() + 1));
}

/// Who gets a mailbox into the own tree gets all rights on it; a user's new name takes the place of
/// the old one in the own lines.
void change_owner(Acl& acl, const UserName& before, const UserName& after, bool whole_user) {
  if (before == after || after.empty()) return;
  if (whole_user) acl.set(before.text(), Rights());
  acl.set(after.text(), Rights::all());
}

}  // namespace

Result<std::vector<MailboxEntry>> Core::tree(db::Transaction& txn, const MailboxName& root) {
  std::vector<MailboxEntry> out;
  Result<void> problem;
  TRY(tables_.mailboxes.raw().scan_prefix(
      &txn, root.key(), [&](std::string_view key, std::string_view value) {
        auto name = MailboxName::from_key(key);
        auto entry = name ? MailboxCodec::parse(value) : Error(name.error());
        if (!entry) {
          problem = Error(entry.error());
          return false;
        }
        if (!name->is_within(root)) return false;
        entry->name = std::move(*name);
        out.push_back(std::move(*entry));
        return true;
      }));
  TRY(std::move(problem));
  return out;
}

Result<std::vector<Renamed>> Core::plan_rename(db::Transaction& txn, const MailboxName& from,
                                               const MailboxName& to, bool only_inbox) {
  auto entries = TRY(tree(txn, from));
  if (only_inbox && entries.size() > 1) entries.resize(1);
  if (entries.empty() || (only_inbox && entries.front().name != from))
    return fail(Errc::no_such_mailbox, "no mailbox {}", from.text());
  std::vector<Renamed> plan;
  for (auto& before : entries) {
    MailboxEntry after = before;
    after.name = TRY(moved(before.name, from, to));
    change_owner(after.acl, from.owner(), to.owner(), from.is_inbox() && !only_inbox);
    if (TRY(find(&txn, after.name)))
      return fail(Errc::mailbox_exists, "{} exists", after.name.text());
    plan.push_back({std::move(before), std::move(after)});
  }
  return plan;
}

Result<std::vector<Renamed>> Core::rename_tree(db::Transaction& txn, const MailboxName& from,
                                               const MailboxName& to,
                                               const std::optional<NewMailbox>& inbox) {
  if (to.path() == "user" || (to.is_within(from) && !(inbox && to != from)))
    return fail(Errc::not_supported, "{} can't become {}", from.text(), to.text());
  if (from.is_inbox() && !inbox && !to.is_inbox())
    return fail(Errc::not_supported, "{} is a user's tree, {} isn't", from.text(), to.text());
  auto plan = TRY(plan_rename(txn, from, to, inbox.has_value()));
  for (auto& step : plan) TRY(write_entry(txn, step.after, &step.before));
  if (!inbox) TRY(move_quota_roots(txn, from, to));
  for (const auto& step : plan) TRY(reroot(txn, step.after, true));
  TRY(note_export(txn, from.owner()));
  TRY(note_export(txn, to.owner()));
  if (inbox) {
    auto fresh = TRY(create(txn, *inbox));
    plan.push_back({{}, std::move(fresh)});
    // RFC 5464 §4.1: the annotations are on both afterwards.
    TRY(copy_annotations(txn, plan.front().after.id, inbox->id));
    return plan;
  }
  const bool whole_user = from.is_inbox();
  if (whole_user) {
    TRY(move_user(txn, from.owner(), to.owner()));
  } else {
    TRY(move_subscriptions(txn, from, to));
  }
  return plan;
}

Result<void> Core::move_quota_roots(db::Transaction& txn, const MailboxName& from,
                                    const MailboxName& to) {
  std::vector<std::pair<std::string, QuotaRow>> roots;
  TRY(tables_.quotas.raw().scan_prefix(&txn, from.key(),
                                       [&](std::string_view key, std::string_view value) {
                                         auto row = QuotaCodec::parse(value);
                                         if (row) roots.emplace_back(key, *row);
                                         return true;
                                       }));
  for (auto& [key, row] : roots) {
    const auto name = TRY(MailboxName::from_key(key));
    if (!name.is_within(from)) continue;
    // The mailboxes come to the root one by one, each with its usage (reroot).
    row.usage = {};
    TRY(tables_.quotas.erase(txn, key));
    TRY(tables_.quotas.put(txn, TRY(moved(name, from, to)).key(), row));
  }
  return {};
}

Result<void> Core::move_user(db::Transaction& txn, const UserName& from, const UserName& to) {
  auto record = TRY(tables_.users.get(&txn, from));
  if (record) {
    record->generation += 1;
    TRY(tables_.users.erase(txn, from));
    TRY(tables_.users.put(txn, to, *record));
  }
  TRY(move_annotations(txn, from, to));
  std::vector<std::string> keys;
  TRY(tables_.subscriptions.scan_prefix(&txn, from.text() + '\0', [&](std::string_view key, auto) {
    keys.emplace_back(key);
    return true;
  }));
  for (const auto& key : keys) {
    TRY(tables_.subscriptions.erase(txn, key));
    TRY(tables_.subscriptions.put(txn, to.text() + key.substr(from.text().size()), ""));
  }
  return {};
}

Result<void> Core::move_subscriptions(db::Transaction& txn, const MailboxName& from,
                                      const MailboxName& to) {
  const UserName owner = from.owner();
  if (owner.empty()) return {};
  const Namespace own(Identity{.user = owner, .groups = {}});
  const std::string prefix = owner.text() + '\0';
  const std::string before = prefix + own.to_client(from);
  const std::string after = prefix + own.to_client(to);
  std::vector<std::string> keys;
  TRY(tables_.subscriptions.scan_prefix(&txn, before, [&](std::string_view key, auto) {
    if (key.size() == before.size() || key[before.size()] == '/') keys.emplace_back(key);
    return true;
  }));
  for (const auto& key : keys) {
    TRY(tables_.subscriptions.erase(txn, key));
    TRY(tables_.subscriptions.put(txn, after + key.substr(before.size()), ""));
  }
  return {};
}

}  // namespace postern::meta
