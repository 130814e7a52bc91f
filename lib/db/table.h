// Table: a B-tree of octet strings in an Environment, ordered by key. Typed<Codec> puts types on
// it: Codec says how its Key and Value are written.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "lib/base/result.h"
#include "lib/db/environment.h"

class Db;

namespace postern::db {

class Table {
 public:
  /// @error io, corrupt
  static Result<Table> open(Environment& env, const std::string& name);
  Table(Table&&) noexcept;
  Table& operator=(Table&&) noexcept;
  ~Table();

  /// `txn` null: the last committed value.
  Result<std::optional<std::string>> get(Transaction* txn, std::string_view key);
  Result<void> put(Transaction& txn, std::string_view key, std::string_view value);
  /// False if the key is there already; nothing is changed then.
  Result<bool> put_new(Transaction& txn, std::string_view key, std::string_view value);
  /// False if it wasn't there.
  Result<bool> erase(Transaction& txn, std::string_view key);

  /// Calls `visit` for keys from `first` on, ascending, until it returns false. Reads in bulk; the
  /// views last until `visit` returns, which must not change this table.
  using Visit = std::function<bool(std::string_view key, std::string_view value)>;
  Result<void> scan(Transaction* txn, std::string_view first, const Visit& visit);
  /// The same for the keys that begin with `prefix`.
  Result<void> scan_prefix(Transaction* txn, std::string_view prefix, const Visit& visit);

 private:
  explicit Table(std::unique_ptr<Db> db, std::string name);
  Error error(Transaction* txn, int code) const;

  std::unique_ptr<Db> db_;
  std::string name_;
};

/// struct Codec { using Key, Value; static std::string key(const Key&);
///   static std::string value(const Value&); static Result<Value> parse(std::string_view); };
template <typename Codec>
class Typed {
 public:
  using Key = typename Codec::Key;
  using Value = typename Codec::Value;

  static Result<Typed> open(Environment& env, const std::string& name) {
    return Typed(TRY(Table::open(env, name)));
  }
  /// @error corrupt  the stored value doesn't parse
  Result<std::optional<Value>> get(Transaction* txn, const Key& key) {
    const auto bytes = TRY(table_.get(txn, Codec::key(key)));
    if (!bytes) return std::optional<Value>();
    return std::optional<Value>(TRY(Codec::parse(*bytes)));
  }
  Result<void> put(Transaction& txn, const Key& key, const Value& value) {
    return table_.put(txn, Codec::key(key), Codec::value(value));
  }
  Result<bool> put_new(Transaction& txn, const Key& key, const Value& value) {
    return table_.put_new(txn, Codec::key(key), Codec::value(value));
  }
  Result<bool> erase(Transaction& txn, const Key& key) {
    return table_.erase(txn, Codec::key(key));
  }
  [[nodiscard]] Table& raw() { return table_; }

 private:
  explicit Typed(Table table) : table_(std::move(table)) {}
  Table table_;
};

}  // namespace postern::db
