// Core: quota roots and what mailboxes count for them (RFC 9208). Each mailbox has one usage row
// with absolute numbers; a root's usage is kept as the sum of the rows that name it.
#include "lib/meta/core.h"

namespace postern::meta {
namespace {

constexpr auto kMailbox = static_cast<std::size_t>(Resource::mailbox);
constexpr auto kStorage = static_cast<std::size_t>(Resource::storage);
constexpr auto kMessage = static_cast<std::size_t>(Resource::message);

std::string due_key(std::int64_t time, const MailboxId& id) {
  std::string key(8, '\0');
  const auto bits = static_cast<std::uint64_t>(time);
  for (std::size_t i = 0; i < 8; ++i) key[i] = static_cast<char>(bits >> (56 - 8 * i));
  return key + raw(id);
}

std::int64_t due_time(std::string_view key) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < 8; ++i) bits = bits << 8 | static_cast<unsigned char>(key[i]);
  return static_cast<std::int64_t>(bits);
}

}  // namespace

Result<std::string> Core::nearest_root(db::Transaction* txn, const MailboxName& name) {
  for (MailboxName at = name; !at.empty(); at = at.parent()) {
    std::string key = at.key();
    if (TRY(tables_.quotas.get(txn, key))) return key;
  }
  return std::string();
}

Result<void> Core::charge(db::Transaction& txn, const std::string& root,
                          const std::array<std::uint64_t, kResources>& usage, bool add,
                          bool check) {
  if (root.empty()) return {};
  auto row = TRY(tables_.quotas.get(&txn, root));
  if (!row) return {};
  for (std::size_t i = 0; i < kResources; ++i) {
    auto& sum = row->usage[i];
    sum = add ? sum + usage[i] : sum - std::min(sum, usage[i]);
    if (check && add && usage[i] > 0 && row->limit[i] && sum > *row->limit[i])
      return fail(Errc::over_quota, "quota root {}: {} of {}", root_text(root), sum,
                  *row->limit[i]);
  }
  return tables_.quotas.put(txn, root, *row);
}

Result<void> Core::begin_usage(db::Transaction& txn, const MailboxEntry& entry, bool check) {
  UsageRow row;
  row.usage[kMailbox] = 1;
  row.root = TRY(nearest_root(&txn, entry.name));
  TRY(charge(txn, row.root, row.usage, true, check));
  return tables_.usage.put(txn, entry.id, row);
}

Result<void> Core::end_usage(db::Transaction& txn, const MailboxEntry& entry) {
  const auto row = TRY(tables_.usage.get(&txn, entry.id));
  if (!row) return {};
  TRY(charge(txn, row->root, row->usage, false, false));
  TRY(set_due(txn, entry.id, row->due, 0));
  TRY(tables_.usage.erase(txn, entry.id));
  return {};
}

Result<void> Core::reroot(db::Transaction& txn, const MailboxEntry& entry, bool check) {
  auto row = TRY(tables_.usage.get(&txn, entry.id));
  if (!row) return {};
  const std::string root = TRY(nearest_root(&txn, entry.name));
  if (root == row->root) return {};
  TRY(charge(txn, row->root, row->usage, false, false));
  row->root = root;
  TRY(charge(txn, row->root, row->usage, true, check));
  return tables_.usage.put(txn, entry.id, *row);
}

Result<void> Core::reroot_tree(db::Transaction& txn, const MailboxName& root) {
  for (const auto& entry : TRY(tree(txn, root))) TRY(reroot(txn, entry, false));
  return {};
}

std::string Core::root_text(const std::string& key) {
  const auto root = MailboxName::from_key(key);
  return root ? root->text() : key;
}

Result<QuotaRoot> Core::present(const std::string& root, const QuotaRow& row) {
  QuotaRoot out{.root = TRY(MailboxName::from_key(root)), .resources = {}};
  for (std::size_t i = 0; i < kResources; ++i)
    if (row.limit[i])
      out.resources.push_back({static_cast<Resource>(i), row.usage[i], row.limit[i]});
  return out;
}

Result<QuotaRoot> Core::set_quota(db::Transaction& txn, const MailboxName& root,
                                  const std::vector<QuotaResource>& limits) {
  const std::string key = root.key();
  const auto before = TRY(tables_.quotas.get(&txn, key));
  QuotaRow row = before.value_or(QuotaRow());
  row.limit = {};
  for (const auto& limit : limits)
    row.limit[static_cast<std::size_t>(limit.resource)] = limit.limit;
  if (limits.empty()) {
    TRY(tables_.quotas.erase(txn, key));
  } else {
    TRY(tables_.quotas.put(txn, key, row));
  }
  if (before.has_value() == limits.empty()) TRY(reroot_tree(txn, root));
  TRY(note_export(txn, root.owner()));
  const auto now = TRY(tables_.quotas.get(&txn, key));
  return present(key, now.value_or(QuotaRow()));
}

Result<std::optional<QuotaRoot>> Core::quota_root_of(const MailboxName& mailbox) {
  const std::string root = TRY(nearest_root(nullptr, mailbox));
  if (root.empty()) return std::optional<QuotaRoot>();
  const auto row = TRY(tables_.quotas.get(nullptr, root));
  return std::optional<QuotaRoot>(TRY(present(root, row.value_or(QuotaRow()))));
}

Result<QuotaRoot> Core::quota(const MailboxName& root) {
  const auto row = TRY(tables_.quotas.get(nullptr, root.key()));
  if (!row) return fail(Errc::no_such_object, "no quota root {}", root.text());
  return present(root.key(), *row);
}

Result<std::vector<QuotaRoot>> Core::quotas() { return quotas_within({}); }

Result<std::vector<QuotaRoot>> Core::quotas_within(const MailboxName& within) {
  const std::string prefix = within.empty() ? std::string() : within.key();
  std::vector<QuotaRoot> out;
  Result<void> problem;
  TRY(tables_.quotas.raw().scan_prefix(nullptr, prefix, [&](auto key, std::string_view value) {
    const auto row = QuotaCodec::parse(value);
    auto root = row ? present(std::string(key), *row) : Error(row.error());
    if (!root) problem = Error(root.error());
    if (root && (prefix.empty() || root->root.is_within(within))) out.push_back(std::move(*root));
    return problem.has_value();
  }));
  TRY(std::move(problem));
  return out;
}

Result<void> Core::set_due(db::Transaction& txn, const MailboxId& id, std::int64_t before,
                           std::int64_t after) {
  if (before == after) return {};
  if (before != 0) TRY(tables_.due.erase(txn, due_key(before, id)));
  if (after != 0) TRY(tables_.due.put(txn, due_key(after, id), ""));
  return {};
}

Result<void> Core::report(db::Transaction& txn, const Usage& usage) {
  auto row = TRY(tables_.usage.get(&txn, usage.mailbox));
  // A mailbox that was erased meanwhile, or a report that others overtook.
  if (!row || usage.modseq.value() < row->modseq) return {};
  const auto before = row->usage;
  row->modseq = usage.modseq.value();
  row->usage[kStorage] = usage.bytes;
  row->usage[kMessage] = usage.messages;
  if (!row->root.empty() && before != row->usage) {
    TRY(charge(txn, row->root, before, false, false));
    TRY(charge(txn, row->root, row->usage, true, false));
  }
  TRY(set_due(txn, usage.mailbox, row->due, usage.due));
  row->due = usage.due;
  return tables_.usage.put(txn, usage.mailbox, *row);
}

Result<std::vector<MailboxId>> Core::due(std::int64_t now, std::size_t most) {
  std::vector<MailboxId> out;
  TRY(tables_.due.scan(nullptr, "", [&](std::string_view key, auto) {
    if (key.size() < 8 || due_time(key) > now || out.size() == most) return false;
    const auto id = mailbox_id_from(key.substr(8));
    if (id) out.push_back(*id);
    return true;
  }));
  return out;
}

}  // namespace postern::meta
