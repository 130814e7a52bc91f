// Core: subscriptions, names that outlive their mailboxes (RFC 9051 §6.3.7).
#include "lib/base/text.h"
#include "lib/meta/core.h"

namespace postern::meta {
namespace {

constexpr std::size_t kMostNameOctets = 1200;

std::string key_of(const UserName& user, std::string_view name) {
  std::string key = user.text();
  key += '\0';
  key += name;
  return key;
}

}  // namespace

Result<void> Core::subscribe(db::Transaction& txn, const UserName& user, std::string_view name) {
  if (name.empty() || name.size() > kMostNameOctets || !is_utf8(name))
    return fail(Errc::bad_syntax, "no name to subscribe to");
  TRY(tables_.subscriptions.put(txn, key_of(user, name), ""));
  TRY(next(txn, "list:" + user.text()));
  return note_export(txn, user);
}

Result<void> Core::unsubscribe(db::Transaction& txn, const UserName& user, std::string_view name) {
  if (!TRY(tables_.subscriptions.erase(txn, key_of(user, name))))
    return fail(Errc::no_such_object, "not subscribed");
  TRY(next(txn, "list:" + user.text()));
  return note_export(txn, user);
}

Result<std::vector<std::string>> Core::subscriptions(const UserName& user) {
  const std::string prefix = key_of(user, "");
  std::vector<std::string> out;
  TRY(tables_.subscriptions.scan_prefix(nullptr, prefix, [&](std::string_view key, auto) {
    out.emplace_back(key.substr(prefix.size()));
    return true;
  }));
  return out;
}

}  // namespace postern::meta
