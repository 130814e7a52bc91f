// Core: the mailboxes list, its secondary rows, its counters and the outbox.
#include "lib/base/clock.h"
#include "lib/base/wire.h"
#include "lib/meta/core.h"

namespace postern::meta {
namespace {

const std::string kVersion = "version";
const std::string kUidValidity = "uidvalidity";

constexpr std::uint64_t kMostVersion = std::uint64_t{1} << 62;
constexpr std::uint32_t kMostUidValidity = 0xF000'0000;

Error no_mailbox(const MailboxName& name) {
  return fail(Errc::no_such_mailbox, "no mailbox {}", name.text());
}

/// "user" is where the users' trees hang, "user/x/INBOX" would hide behind INBOX.
Result<void> check_new_name(const MailboxName& name) {
  const bool shadow =
      !name.owner().empty() && name.parent().is_inbox() && name.path().ends_with("/INBOX");
  if (name.empty() || name.path() == "user" || shadow)
    return fail(Errc::bad_syntax, "\"{}\" is a reserved name", name.text());
  return {};
}

std::string rights_key(std::string_view identifier, std::string_view name_key) {
  std::string key(identifier);
  key += '\0';
  key += name_key;
  return key;
}

bool is_listed(const AclEntry& line, const UserName& owner) {
  return line.rights.has(Right::lookup) && !line.identifier.starts_with('-') &&
         line.identifier != owner.text();
}

}  // namespace

Result<std::optional<MailboxEntry>> Core::find(db::Transaction* txn, const MailboxName& name) {
  auto entry = TRY(tables_.mailboxes.get(txn, name));
  if (entry) entry->name = name;
  return entry;
}

Result<MailboxEntry> Core::lookup(const MailboxName& name) {
  auto entry = TRY(find(nullptr, name));
  if (!entry) return no_mailbox(name);
  return std::move(*entry);
}

Result<MailboxEntry> Core::lookup(const MailboxId& id) {
  const auto key = TRY(tables_.ids.get(nullptr, raw(id)));
  if (!key) return fail(Errc::no_such_mailbox, "no mailbox with id {}", id.hex());
  return lookup(TRY(MailboxName::from_key(*key)));
}

Result<MailboxEntry> Core::existing(db::Transaction& txn, const MailboxName& name) {
  auto entry = TRY(find(&txn, name));
  if (!entry) return no_mailbox(name);
  return std::move(*entry);
}

Result<void> Core::write_rights(db::Transaction& txn, const MailboxEntry& entry, bool present) {
  const UserName owner = entry.name.owner();
  for (const auto& line : entry.acl.entries()) {
    if (!is_listed(line, owner)) continue;
    const std::string key = rights_key(line.identifier, entry.name.key());
    if (present) {
      TRY(tables_.rights.put(txn, key, ""));
    } else {
      TRY(tables_.rights.erase(txn, key));
    }
  }
  return {};
}

Result<void> Core::touch(db::Transaction& txn, const MailboxEntry& entry) {
  const UserName owner = entry.name.owner();
  if (!owner.empty()) TRY(next(txn, "list:" + owner.text()));
  bool everybody = false;
  for (const auto& line : entry.acl.entries()) {
    if (!is_listed(line, owner)) continue;
    const bool many = line.identifier == "anyone" || line.identifier == "anonymous" ||
                      line.identifier.starts_with("group:");
    if (!many) TRY(next(txn, "list:" + line.identifier));
    everybody = everybody || many;
  }
  if (everybody) TRY(next(txn, "list"));
  return {};
}

Result<void> Core::write_entry(db::Transaction& txn, MailboxEntry& entry,
                               const MailboxEntry* before) {
  entry.version = TRY(next(txn, kVersion, entry.version));
  TRY(tables_.outbox.put(txn, raw(entry.id), CounterCodec::value(entry.version)));
  return write_rows(txn, entry, before);
}

Result<void> Core::write_rows(db::Transaction& txn, const MailboxEntry& entry,
                              const MailboxEntry* before) {
  if (before) {
    TRY(write_rights(txn, *before, false));
    TRY(touch(txn, *before));
    if (before->name != entry.name) TRY(tables_.mailboxes.erase(txn, before->name));
  }
  TRY(tables_.mailboxes.put(txn, entry.name, entry));
  TRY(tables_.ids.put(txn, raw(entry.id), entry.name.key()));
  TRY(write_rights(txn, entry, true));
  return touch(txn, entry);
}

Result<void> Core::remove_entry(db::Transaction& txn, const MailboxEntry& entry) {
  TRY(tables_.mailboxes.erase(txn, entry.name));
  TRY(tables_.ids.erase(txn, raw(entry.id)));
  TRY(tables_.outbox.erase(txn, raw(entry.id)));
  TRY(write_rights(txn, entry, false));
  return touch(txn, entry);
}

Result<MailboxEntry> Core::create(db::Transaction& txn, const NewMailbox& fresh) {
  TRY(check_new_name(fresh.name));
  if (TRY(find(&txn, fresh.name)))
    return fail(Errc::mailbox_exists, "{} exists", fresh.name.text());
  if (TRY(tables_.ids.get(&txn, raw(fresh.id))))
    return fail(Errc::mailbox_exists, "a mailbox has the id {}", fresh.id.hex());
  MailboxEntry entry{.id = fresh.id,
                     .name = fresh.name,
                     .partition = fresh.partition,
                     .acl = fresh.acl,
                     .uidvalidity = {},
                     .special_use = fresh.special_use,
                     .created = wall_seconds()};
  const auto now = static_cast<std::uint64_t>(entry.created);
  const std::uint64_t uidvalidity = TRY(next(txn, kUidValidity, now));
  if (uidvalidity > UINT32_MAX) return fail(Errc::limit, "out of uidvalidities");
  entry.uidvalidity = UidValidity(static_cast<std::uint32_t>(uidvalidity));
  TRY(write_entry(txn, entry, nullptr));
  TRY(unlisted_done(txn, entry.id));
  TRY(begin_usage(txn, entry, true));
  return entry;
}

Result<MailboxEntry> Core::erase(db::Transaction& txn, const MailboxName& name) {
  MailboxEntry entry = TRY(existing(txn, name));
  TRY(remove_entry(txn, entry));
  TRY(announce(txn, entry.id, entry.partition));
  TRY(end_usage(txn, entry));
  std::vector<std::string> notes;
  TRY(tables_.annotations.scan_prefix(&txn, raw(entry.id), [&](std::string_view key, auto) {
    notes.emplace_back(key);
    return true;
  }));
  for (const auto& key : notes) TRY(tables_.annotations.erase(txn, key));
  // The root of a tree that is gone would be a limit on nothing.
  const bool lone = TRY(tree(txn, name)).empty();
  const bool root_gone = lone && TRY(tables_.quotas.erase(txn, name.key()));
  if (root_gone || !notes.empty()) TRY(note_export(txn, name.owner()));
  return entry;
}

Result<MailboxEntry> Core::set_acl(db::Transaction& txn, const MailboxName& name,
                                   std::string_view identifier, Rights rights) {
  const std::string who = TRY(canonical_identifier(identifier));
  const MailboxEntry before = TRY(existing(txn, name));
  MailboxEntry entry = before;
  entry.acl.set(who, rights);
  TRY(write_entry(txn, entry, &before));
  return entry;
}

Result<MailboxEntry> Core::set_special_use(db::Transaction& txn, const MailboxName& name,
                                           std::string_view uses) {
  const MailboxEntry before = TRY(existing(txn, name));
  MailboxEntry entry = before;
  entry.special_use = uses;
  TRY(write_entry(txn, entry, &before));
  return entry;
}

namespace {

/// Where a mailbox is put whose name belongs to another one.
Result<MailboxName> lost_name(const MailboxEntry& entry) {
  return MailboxName::from_utf8("Lost/" + entry.id.hex() + '@' + entry.name.domain());
}

}  // namespace

Result<MailboxEntry> Core::restore(db::Transaction& txn, const MailboxEntry& found) {
  TRY(check_new_name(found.name));
  // A damaged header must not drive the counters to their end.
  if (found.version > kMostVersion || found.uidvalidity.value() > kMostUidValidity)
    return fail(Errc::corrupt, "{}: version {}, uidvalidity {}", found.name.text(), found.version,
                found.uidvalidity);
  MailboxEntry entry = found;
  std::optional<MailboxEntry> before;
  if (const auto key = TRY(tables_.ids.get(&txn, raw(entry.id)))) {
    before = TRY(find(&txn, TRY(MailboxName::from_key(*key))));
    if (before && before->version >= entry.version) return std::move(*before);
  }
  auto holder = TRY(find(&txn, entry.name));
  if (holder && holder->id != entry.id) {
    if (holder->version >= entry.version) {
      entry.name = TRY(lost_name(entry));
    } else {
      MailboxEntry moved = *holder;
      moved.name = TRY(lost_name(moved));
      TRY(write_entry(txn, moved, &*holder));
      TRY(reroot(txn, moved, false));
      TRY(note_export(txn, holder->name.owner()));
    }
  }
  // Both counters go on after everything that was ever given out.
  const auto last = TRY(tables_.counters.get(&txn, kUidValidity)).value_or(0);
  TRY(tables_.counters.put(txn, kUidValidity,
                           std::max<std::uint64_t>(last, entry.uidvalidity.value())));
  const MailboxEntry* const replaced = before ? &*before : nullptr;
  if (entry.name != found.name) {
    TRY(write_entry(txn, entry, replaced));
  } else {
    // As the header has it: nothing is left to be copied there.
    const auto version = TRY(tables_.counters.get(&txn, kVersion)).value_or(0);
    TRY(tables_.counters.put(txn, kVersion, std::max(version, entry.version)));
    TRY(write_rows(txn, entry, replaced));
  }
  if (before) {
    TRY(reroot(txn, entry, false));
    TRY(note_export(txn, before->name.owner()));
    TRY(note_export(txn, entry.name.owner()));
  } else {
    TRY(unlisted_done(txn, entry.id));
    TRY(begin_usage(txn, entry, false));
  }
  return entry;
}

Result<std::uint64_t> Core::list_counter(const UserName& user) {
  const auto own = TRY(tables_.counters.get(nullptr, "list:" + user.text())).value_or(0);
  return own + TRY(tables_.counters.get(nullptr, "list")).value_or(0);
}

Result<std::vector<MailboxEntry>> Core::outbox(std::size_t most) {
  std::vector<std::string> ids;
  TRY(tables_.outbox.scan(nullptr, "", [&](std::string_view key, auto) {
    ids.emplace_back(key);
    return ids.size() < most;
  }));
  std::vector<MailboxEntry> out;
  out.reserve(ids.size());
  for (const auto& id : ids) out.push_back(TRY(lookup(TRY(mailbox_id_from(id)))));
  return out;
}

Result<void> Core::outbox_done(db::Transaction& txn, const MailboxId& id, std::uint64_t version) {
  const auto row = TRY(tables_.outbox.get(&txn, raw(id)));
  // A later change put it there again: its copy is still to be written.
  if (!row || TRY(CounterCodec::parse(*row)) > version) return {};
  TRY(tables_.outbox.erase(txn, raw(id)));
  return {};
}

Result<void> Core::announce(db::Transaction& txn, const MailboxId& id, std::string_view partition) {
  WireWriter row;
  row.put(wall_seconds());
  row.put_raw(partition);
  return tables_.unlisted.put(txn, raw(id), row.bytes());
}

Result<std::vector<Unlisted>> Core::unlisted(std::int64_t before, const MailboxId& after,
                                             std::size_t most) {
  std::vector<Unlisted> out;
  Result<void> problem;
  TRY(tables_.unlisted.scan(nullptr, raw(after) + '\0', [&](std::string_view key, auto value) {
    if (out.size() == most) return false;
    WireReader row(value);
    const auto id = mailbox_id_from(key);
    const auto since = row.take<std::int64_t>();
    if (!id || !since) problem = fail(Errc::corrupt, "a row of unlisted");
    if (problem && *since <= before) out.push_back({*id, std::string(row.rest()), *since});
    return problem.has_value();
  }));
  TRY(std::move(problem));
  return out;
}

Result<void> Core::unlisted_done(db::Transaction& txn, const MailboxId& id) {
  TRY(tables_.unlisted.erase(txn, raw(id)));
  return {};
}

}  // namespace postern::meta
