// Core: users. A user's id names its directory and outlives a change of the user's name.
#include "lib/base/clock.h"
#include "lib/base/wire.h"
#include "lib/meta/core.h"

namespace postern::meta {
namespace {

/// No user's name has a NUL.
std::string gone_key(const UserId& id) {
  return '\0' + std::string(reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size());
}

}  // namespace

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
    TRY(note_export(txn, name));
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
  TRY(note_export(txn, name));
  record->name = name;
  return std::move(*record);
}

Result<UserRecord> Core::restore_user(db::Transaction& txn, const UserRecord& found) {
  if (found.name.empty()) return fail(Errc::bad_syntax, "a user without a name");
  auto record = TRY(tables_.users.get(&txn, found.name));
  if (!record) {
    record = found;
    TRY(tables_.users.put(txn, found.name, *record));
    TRY(tables_.exports.erase(txn, gone_key(found.id)));
    TRY(note_export(txn, found.name));
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
  const auto record = TRY(tables_.users.get(&txn, name));
  if (!record) return fail(Errc::no_such_user, "no user {}", name.text());
  TRY(tables_.users.erase(txn, name));
  TRY(tables_.exports.erase(txn, name.text()));
  return note_gone(txn, *record);
}

Result<void> Core::note_export(db::Transaction& txn, const UserName& user) {
  if (user.empty()) return {};
  const std::uint64_t version = TRY(next(txn, "exports"));
  return tables_.exports.put(txn, user.text(), CounterCodec::value(version));
}

Result<void> Core::note_gone(db::Transaction& txn, const UserRecord& user) {
  const std::uint64_t version = TRY(next(txn, "exports"));
  return tables_.exports.put(txn, gone_key(user.id), CounterCodec::value(version) + user.partition);
}

/// The row of `exports` as one asks for it.
Result<DueExport> Core::due_export(std::string_view key, std::string_view value) {
  WireReader in(value);
  const auto version = TRY(in.take<std::uint64_t>());
  DueExport due{.key = std::string(key), .version = version, .user = {}};
  if (!key.starts_with('\0')) {
    const auto name = TRY(UserName::from_utf8(key));
    auto record = TRY(tables_.users.get(nullptr, name));
    if (!record) return due;  // subscribed to something, and never was there
    due.user = std::move(*record);
    due.user.name = name;
    return due;
  }
  if (key.size() != 1 + due.user.id.bytes.size()) return fail(Errc::corrupt, "a row of exports");
  key.substr(1).copy(reinterpret_cast<char*>(due.user.id.bytes.data()), key.size() - 1);
  due.user.partition = in.rest();
  return due;
}

Result<std::vector<DueExport>> Core::due_exports(std::string_view after, std::size_t most) {
  std::vector<std::pair<std::string, std::string>> rows;
  TRY(tables_.exports.scan(nullptr, after, [&](std::string_view key, std::string_view value) {
    if (key != after) rows.emplace_back(key, value);
    return rows.size() < most;
  }));
  std::vector<DueExport> out;
  out.reserve(rows.size());
  for (const auto& [key, value] : rows) out.push_back(TRY(due_export(key, value)));
  return out;
}

Result<void> Core::export_done(db::Transaction& txn, std::string_view key, std::uint64_t version) {
  const auto row = TRY(tables_.exports.get(&txn, key));
  if (!row) return {};
  const auto last = TRY(WireReader(*row).take<std::uint64_t>());
  if (last > version) return {};
  TRY(tables_.exports.erase(txn, key));
  return {};
}

}  // namespace postern::meta
