// Core: users. A user's id names its directory and outlives a change of the user's name.
#include "lib/base/clock.h"
#include "lib/meta/core.h"

namespace postern::meta {

Result<UserRecord> Core::user(const UserName& name) {
  auto record = TRY(tables_.users.get(nullptr, name));
  if (!record) return fail(Errc::no_such_user, "no user {}", name.text());
  record->name = name;
  return std::move(*record);
}

Result<UserRecord> Core::make_user(db::Transaction& txn, const UserName& name) {
  if (name.empty()) return fail(Errc::bad_syntax, "a user without a name");
  auto record = TRY(tables_.users.get(&txn, name));
  if (!record) {
    record = UserRecord{.name = name,
                        .id = random_user_id(),
                        .partition = "default",
                        .generation = 1,
                        .created = wall_seconds()};
    TRY(tables_.users.put(txn, name, *record));
  }
  record->name = name;
  return std::move(*record);
}

Result<std::vector<UserRecord>> Core::users() {
  std::vector<UserRecord> out;
  Result<void> problem;
  TRY(tables_.users.raw().scan(nullptr, "", [&](std::string_view key, std::string_view value) {
    auto record = UserCodec::parse(value);
    auto name = UserName::from_utf8(key);
    if (!record) problem = Error(record.error());
    if (!name) problem = Error(name.error());
    if (!problem) return false;
    record->name = std::move(*name);
    out.push_back(std::move(*record));
    return true;
  }));
  TRY(std::move(problem));
  return out;
}

Result<UserRecord> Core::bump_generation(db::Transaction& txn, const UserName& name) {
  auto record = TRY(tables_.users.get(&txn, name));
  if (!record) return fail(Errc::no_such_user, "no user {}", name.text());
  record->generation += 1;
  TRY(tables_.users.put(txn, name, *record));
  record->name = name;
  return std::move(*record);
}

Result<UserRecord> Core::restore_user(db::Transaction& txn, const UserRecord& found) {
  if (found.name.empty()) return fail(Errc::bad_syntax, "a user without a name");
  auto record = TRY(tables_.users.get(&txn, found.name));
  if (!record) {
    record = found;
    TRY(tables_.users.put(txn, found.name, *record));
  }
  record->name = found.name;
  return std::move(*record);
}

Result<void> Core::erase_user(db::Transaction& txn, const UserName& name) {
  std::vector<std::string> keys;
  TRY(tables_.subscriptions.scan_prefix(&txn, name.text() + '\0', [&](std::string_view key, auto) {
    keys.emplace_back(key);
    return true;
  }));
  for (const auto& key : keys) TRY(tables_.subscriptions.erase(txn, key));
  TRY(move_annotations(txn, name, {}));
  if (!TRY(tables_.users.erase(txn, name)))
    return fail(Errc::no_such_user, "no user {}", name.text());
  return {};
}

}  // namespace postern::meta
