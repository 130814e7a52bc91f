#include "lib/db/table.h"

#include <db_cxx.h>

#include <array>
#include <memory>

namespace postern::db {
namespace {

constexpr std::uint32_t kPageSize = 8192;
constexpr std::size_t kKeyRoom = 4096;  // for the found key that a cursor writes back
constexpr std::size_t kFirstBulk = 16U << 10;
constexpr std::size_t kNextBulk = 256U << 10;
constexpr std::size_t kMostBulk = 64U << 20;

/// Berkeley DB takes keys as non-const memory and doesn't write to it.
Dbt borrowed(std::string_view bytes) {
  return {const_cast<char*>(bytes.data()), static_cast<std::uint32_t>(bytes.size())};
}

std::string_view view(const Dbt& dbt) {
  return {static_cast<const char*>(dbt.get_data()), dbt.get_size()};
}

Dbt into(char* data, std::size_t size) {
  Dbt dbt;
  dbt.set_data(data);
  dbt.set_ulen(static_cast<std::uint32_t>(size));
  dbt.set_flags(DB_DBT_USERMEM);
  return dbt;
}

struct CursorCloser {
  void operator()(Dbc* cursor) const { cursor->close(); }
};
using Cursor = std::unique_ptr<Dbc, CursorCloser>;

/// Room for one piece of a scan, not cleared and not copied when it grows.
class Bulk {
 public:
  void grow(std::size_t size) {
    octets_ = std::make_unique_for_overwrite<char[]>(size);
    size_ = size;
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] Dbt dbt() { return into(octets_.get(), size_); }

 private:
  std::size_t size_ = kFirstBulk;
  std::unique_ptr<char[]> octets_ = std::make_unique_for_overwrite<char[]>(kFirstBulk);
};

/// Visits one bulk buffer. False when the visitor has had enough.
bool visit_bulk(const Dbt& bulk, const Table::Visit& visit) {
  DbMultipleKeyDataIterator each(bulk);
  Dbt key;
  Dbt value;
  while (each.next(key, value))
    if (!visit(view(key), view(value))) return false;
  return true;
}

}  // namespace

Table::Table(std::unique_ptr<Db> db, std::string name)
    : db_(std::move(db)), name_(std::move(name)) {}
Table::Table(Table&&) noexcept = default;
Table& Table::operator=(Table&&) noexcept = default;

Table::~Table() {
  if (db_) db_->close(0);
}

Result<Table> Table::open(Environment& env, const std::string& name) {
  auto db = std::make_unique<Db>(env.handle(), DB_CXX_NO_EXCEPTIONS);
  const std::string file = name + ".db";
  db->set_pagesize(kPageSize);
  const int code = db->open(nullptr, file.c_str(), nullptr, DB_BTREE,
                            DB_CREATE | DB_AUTO_COMMIT | DB_THREAD, 0600);
  Table table(std::move(db), name);
  if (code != 0) return table.error(nullptr, code);
  return table;
}

Error Table::error(Transaction* txn, int code) const {
  if (txn && code == DB_LOCK_DEADLOCK) txn->deadlocked_ = true;
  return db_error(code, "table " + name_);
}

Result<std::optional<std::string>> Table::get(Transaction* txn, std::string_view key) {
  Dbt wanted = borrowed(key);
  std::array<char, 2048> small;  // NOLINT(cppcoreguidelines-pro-type-member-init): written by get
  Dbt value = into(small.data(), small.size());
  std::string large;
  DbTxn* const in = txn ? txn->txn_ : nullptr;
  int code = db_->get(in, &wanted, &value, 0);
  while (code == DB_BUFFER_SMALL) {
    large.resize(value.get_size());
    value = into(large.data(), large.size());
    code = db_->get(in, &wanted, &value, 0);
  }
  if (code == DB_NOTFOUND) return std::optional<std::string>();
  if (code != 0) return error(txn, code);
  return std::optional<std::string>(view(value));
}

Result<void> Table::put(Transaction& txn, std::string_view key, std::string_view value) {
  Dbt k = borrowed(key);
  Dbt v = borrowed(value);
  const int code = db_->put(txn.txn_, &k, &v, 0);
  if (code != 0) return error(&txn, code);
  return {};
}

Result<bool> Table::put_new(Transaction& txn, std::string_view key, std::string_view value) {
  Dbt k = borrowed(key);
  Dbt v = borrowed(value);
  const int code = db_->put(txn.txn_, &k, &v, DB_NOOVERWRITE);
  if (code != 0 && code != DB_KEYEXIST) return error(&txn, code);
  return code == 0;
}

Result<bool> Table::erase(Transaction& txn, std::string_view key) {
  Dbt k = borrowed(key);
  const int code = db_->del(txn.txn_, &k, 0);
  if (code != 0 && code != DB_NOTFOUND) return error(&txn, code);
  return code == 0;
}

Result<void> Table::scan(Transaction* txn, std::string_view first, const Visit& visit) {
  Dbc* raw = nullptr;
  int code = db_->cursor(txn ? txn->txn_ : nullptr, &raw, 0);
  if (code != 0) return error(txn, code);
  const Cursor cursor(raw);
  // A short first piece: most scans want one user's few mailboxes.
  Bulk buffer;
  std::string start(first);
  start.resize(std::max(start.size(), kKeyRoom));
  Dbt key = into(start.data(), start.size());
  key.set_size(static_cast<std::uint32_t>(first.size()));
  std::uint32_t step = DB_SET_RANGE;
  for (;;) {
    Dbt bulk = buffer.dbt();
    code = cursor->get(&key, &bulk, step | DB_MULTIPLE_KEY);
    if (code == DB_BUFFER_SMALL && buffer.size() < kMostBulk) {
      buffer.grow(std::max<std::size_t>(buffer.size() * 2,
                                        (std::size_t{bulk.get_size()} / 1024 + 2) * 1024));
      continue;
    }
    if (code == DB_NOTFOUND) return {};
    if (code != 0) return error(txn, code);
    if (!visit_bulk(bulk, visit)) return {};
    step = DB_NEXT;
    if (buffer.size() < kNextBulk) buffer.grow(kNextBulk);
  }
}

Result<void> Table::scan_prefix(Transaction* txn, std::string_view prefix, const Visit& visit) {
  return scan(txn, prefix, [&](std::string_view key, std::string_view value) {
    return key.starts_with(prefix) && visit(key, value);
  });
}

}  // namespace postern::db
