// Core: messages that sleep until their time, keyed by it.
#include "lib/meta/core.h"
#include "lib/meta/wire.h"

namespace postern::meta {
namespace {

std::string big_endian(std::int64_t time) {
  std::string out;
  for (int shift = 56; shift >= 0; shift -= 8)
    out += static_cast<char>(static_cast<std::uint64_t>(time) >> shift & 0xFF);
  return out;
}

std::string key_of(const Snoozed& message) {
  return big_endian(message.until) + raw(message.mailbox) + message.guid.hex();
}

}  // namespace

Result<void> Core::set_snoozed(db::Transaction& txn, const Snoozed& message) {
  if (message.until < 0) return fail(Errc::bad_syntax, "a time before 1970");
  WireWriter row;
  wire::put(row, message);
  return tables_.snoozed.put(txn, key_of(message), row.bytes());
}

Result<void> Core::end_snoozed(db::Transaction& txn, const Snoozed& message) {
  TRY(tables_.snoozed.erase(txn, key_of(message)));
  return {};
}

Result<std::vector<Snoozed>> Core::snoozed(std::int64_t now, std::uint32_t most) {
  std::vector<Snoozed> out;
  std::optional<Error> damage;
  const std::string end = big_endian(now + 1);
  TRY(tables_.snoozed.scan(nullptr, "", [&](std::string_view key, std::string_view value) {
    if (key >= end || out.size() >= most) return false;
    WireReader in(value);
    auto message = wire::get(in, wire::As<Snoozed>());
    if (message)
      out.push_back(std::move(*message));
    else
      damage = fail(Errc::corrupt, "snoozed: {}", message.error().text);
    return true;
  }));
  if (out.empty() && damage) return *damage;
  return out;
}

}  // namespace postern::meta
