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

Result<void> Core::set_annotation(db::Transaction& txn, const Annotation& annotation) {
  if (annotation.entry.empty() || annotation.entry.size() > kMostNameOctets)
    return fail(Errc::bad_syntax, "no name of an annotation");
  const MailboxId id = TRY(annotated(&txn, annotation.mailbox));
  const std::string key = key_of(id, annotation.user, annotation.entry);
  const auto before = TRY(tables_.annotations.get(&txn, key));
  if (annotation.value.empty()) {
    TRY(tables_.annotations.erase(txn, key));
  } else {
    TRY(tables_.annotations.put(txn, key, annotation.value));
  }
  auto row = TRY(tables_.usage.get(&txn, id));
  if (!row) return {};
  const std::uint64_t old_size = before ? before->size() : 0;
  TRY(charge(txn, row->root, {0, 0, 0, old_size}, false, false));
  TRY(charge(txn, row->root, {0, 0, 0, annotation.value.size()}, true, true));
  auto& sum = row->usage[kStorage];
  sum = sum - std::min(sum, old_size) + annotation.value.size();
  return tables_.usage.put(txn, id, *row);
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
