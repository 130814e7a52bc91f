// Core: marks, keys with an end of life (duplicate suppression, vacation).
#include "lib/base/clock.h"
#include "lib/base/wire.h"
#include "lib/meta/core.h"

namespace postern::meta {
namespace {

constexpr std::size_t kMostKeyOctets = 512;

std::string key_of(const Mark& mark) {
  std::string key(1, static_cast<char>(mark.kind));
  key += mark.owner;
  key += '\0';
  key += mark.key;
  return key;
}

bool has_expired(std::string_view row, std::int64_t now) {
  WireReader in(row);
  const auto end = in.take<std::int64_t>();
  return !end || *end <= now;
}

}  // namespace

Result<std::optional<std::string>> Core::find_mark(const Mark& mark) {
  const auto row = TRY(tables_.marks.get(nullptr, key_of(mark)));
  if (!row || has_expired(*row, wall_seconds())) return std::optional<std::string>();
  return std::optional<std::string>(row->substr(sizeof(std::int64_t)));
}

Result<void> Core::set_mark(db::Transaction& txn, const Mark& mark, std::string_view value,
                            std::chrono::seconds life) {
  if (mark.key.size() > kMostKeyOctets || mark.owner.size() > kMostKeyOctets)
    return fail(Errc::too_big, "a mark's key of {} octets", mark.key.size());
  WireWriter row;
  row.put(wall_seconds() + life.count());
  row.put_raw(value);
  return tables_.marks.put(txn, key_of(mark), row.bytes());
}

Result<std::size_t> Core::sweep_marks(db::Transaction& txn, std::size_t most) {
  const std::int64_t now = wall_seconds();
  std::vector<std::string> expired;
  std::string last;
  std::size_t seen = 0;
  TRY(tables_.marks.scan(&txn, sweep_from_, [&](std::string_view key, std::string_view row) {
    if (has_expired(row, now)) expired.emplace_back(key);
    last = key;
    return ++seen < most;
  }));
  for (const auto& key : expired) TRY(tables_.marks.erase(txn, key));
  sweep_from_ = seen < most ? std::string() : last + '\0';
  return expired.size();
}

}  // namespace postern::meta
