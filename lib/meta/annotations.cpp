// Core: annotations of mailboxes and of the server (RFC 5464). Rows are keyed by mailbox id, so
// RENAME leaves them alone.
#include "lib/meta/core.h"

namespace postern::meta {
namespace {

constexpr auto kStorage = static_cast<std::size_t>(Resource::annotation_storage);
constexpr std::size_t kMostNameOctets = 1000;

std::string key_of(const MailboxId& id, const UserName& user, std::string_view entry) {
  std::string key = raw(id) + user.text();
  key += '\0';
  key += entry;
  return key;
}

}  // namespace

Result<MailboxId> Core::annotated(db::Transaction* txn, const MailboxName& mailbox) {
  if (mailbox.empty()) return MailboxId();
  const auto entry = TRY(find(txn, mailbox));
  if (!entry) return fail(Errc::no_such_mailbox, "no mailbox {}", mailbox.text());
  return entry->id;
}

/// Private annotations count for the mailbox's quota root like shared ones.
Result<void> Core::charge_annotation(db::Transaction& txn, const MailboxId& id,
                                     std::uint64_t before, std::uint64_t after) {
  auto row = TRY(tables_.usage.get(&txn, id));
  if (!row || before == after) return {};
  TRY(charge(txn, row->root, {0, 0, 0, before}, false, false));
  TRY(charge(txn, row->root, {0, 0, 0, after}, true, after > before));
  auto& sum = row->usage[kStorage];
  sum = sum - std::min(sum, before) + after;
  return tables_.usage.put(txn, id, *row);
}

Result<void> Core::set_annotations(db::Transaction& txn, const MailboxName& mailbox,
                                   const std::vector<AnnotationChange>& changes,
                                   std::uint32_t most) {
  const MailboxId id = TRY(annotated(&txn, mailbox));
  for (const AnnotationChange& change : changes) {
    if (change.entry.empty() || change.entry.size() > kMostNameOctets)
      return fail(Errc::bad_syntax, "no name of an annotation");
    const std::string key = key_of(id, change.user, change.entry);
    const auto before = TRY(tables_.annotations.get(&txn, key));
    if (change.value)
      TRY(tables_.annotations.put(txn, key, *change.value));
    else
      TRY(tables_.annotations.erase(txn, key));
    TRY(charge_annotation(txn, id, before ? before->size() : 0,
                          change.value ? change.value->size() : 0));
    if (before || !change.value) continue;
    std::uint32_t count = 0;
    TRY(tables_.annotations.scan_prefix(&txn, key_of(id, change.user, ""),
                                        [&](auto, auto) { return ++count <= most; }));
    if (count > most) return fail(Errc::limit, "over {} annotations", most);
  }
  return note_export(txn, mailbox.owner());
}

Result<void> Core::copy_annotations(db::Transaction& txn, const MailboxId& from,
                                    const MailboxId& to) {
  std::vector<std::pair<std::string, std::string>> rows;
  const std::string prefix = raw(from);
  TRY(tables_.annotations.scan_prefix(
      &txn, prefix, [&](std::string_view key, std::string_view value) {
        rows.emplace_back(raw(to) + std::string(key.substr(prefix.size())), value);
        return true;
      }));
  for (const auto& [key, value] : rows) {
    TRY(tables_.annotations.put(txn, key, value));
    TRY(charge_annotation(txn, to, 0, value.size()));
  }
  return {};
}

Result<void> Core::move_annotations(db::Transaction& txn, const UserName& from,
                                    const UserName& to) {
  std::vector<std::pair<std::string, std::string>> rows;
  const std::size_t skip = raw(MailboxId()).size();
  TRY(tables_.annotations.scan(&txn, "", [&](std::string_view key, std::string_view value) {
    if (key.substr(skip).starts_with(from.text() + '\0')) rows.emplace_back(key, value);
    return true;
  }));
  for (const auto& [key, value] : rows) {
    TRY(tables_.annotations.erase(txn, key));
    const auto id = TRY(mailbox_id_from(std::string_view(key).substr(0, skip)));
    if (to.empty())
      TRY(charge_annotation(txn, id, value.size(), 0));
    else
      TRY(tables_.annotations.put(txn, key_of(id, to, key.substr(skip + from.text().size() + 1)),
                                  value));
  }
  return {};
}

Result<std::vector<Annotation>> Core::annotations(const MailboxName& mailbox,
                                                  const UserName& user) {
  const MailboxId id = TRY(annotated(nullptr, mailbox));
  std::vector<Annotation> out;
  const auto collect = [&](const UserName& whose) {
    const std::string prefix = key_of(id, whose, "");
    return tables_.annotations.scan_prefix(
        nullptr, prefix, [&](std::string_view key, std::string_view value) {
          out.push_back(
              {mailbox, whose, std::string(key.substr(prefix.size())), std::string(value)});
          return true;
        });
  };
  TRY(collect(UserName()));
  if (!user.empty()) TRY(collect(user));
  return out;
}

}  // namespace postern::meta
