#include "lib/meta/core.h"

#include "lib/base/clock.h"
#include "lib/base/wire.h"

namespace postern::meta {

Core::Core(std::unique_ptr<db::Environment> env, Tables tables)
    : env_(std::move(env)), tables_(std::move(tables)) {}

Result<std::unique_ptr<Core>> Core::open(const db::EnvironmentOptions& options) {
  auto env = TRY(db::Environment::open(options));
  auto tables = TRY(Tables::open(*env));
  return std::unique_ptr<Core>(new Core(std::move(env), std::move(tables)));
}

/// Counters only grow; `at_least` is where a counter that follows the clock goes on.
Result<std::uint64_t> Core::next(db::Transaction& txn, const std::string& counter,
                                 std::uint64_t at_least) {
  const auto last = TRY(tables_.counters.get(&txn, counter)).value_or(0);
  const std::uint64_t now = std::max(last + 1, at_least);
  TRY(tables_.counters.put(txn, counter, now));
  return now;
}

Result<std::optional<Core::LastRequest>> Core::last_request(std::string_view instance) {
  const auto row = TRY(tables_.requests.get(nullptr, instance));
  if (!row) return std::optional<LastRequest>();
  WireReader in(*row);
  LastRequest out;
  out.sequence = TRY(in.take<std::uint64_t>());
  TRY(in.take<std::int64_t>());
  out.reply = in.rest();
  return std::optional<LastRequest>(std::move(out));
}

Result<void> Core::remember_request(db::Transaction& txn, std::string_view instance,
                                    std::uint64_t sequence, std::string_view reply) {
  WireWriter out;
  out.put(sequence);
  out.put(wall_seconds());
  out.put_raw(reply);
  return tables_.requests.put(txn, instance, out.bytes());
}

Result<void> Core::sweep_requests(db::Transaction& txn, std::chrono::seconds age) {
  const std::int64_t oldest = wall_seconds() - age.count();
  std::vector<std::string> old;
  TRY(tables_.requests.scan(&txn, "", [&](std::string_view key, std::string_view value) {
    WireReader in(value);
    const auto sequence = in.take<std::uint64_t>();
    const auto time = in.take<std::int64_t>();
    if (!sequence || !time || *time < oldest) old.emplace_back(key);
    return true;
  }));
  for (const auto& key : old) TRY(tables_.requests.erase(txn, key));
  return {};
}

}  // namespace postern::meta
