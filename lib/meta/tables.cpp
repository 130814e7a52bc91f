#include "lib/meta/tables.h"

#include "lib/base/wire.h"

namespace postern::meta {
namespace {

constexpr std::uint8_t kFormat = 1;

WireWriter begin_row() {
  WireWriter out;
  out.put(kFormat);
  return out;
}

/// A later format than ours is refused, not guessed at.
Result<WireReader> open_row(std::string_view bytes) {
  WireReader in(bytes);
  const auto format = TRY(in.take<std::uint8_t>());
  if (format != kFormat) return fail(Errc::corrupt, "a row of format {}", format);
  return in;
}

template <typename Id>
Result<Id> take_id(WireReader& in) {
  Id id;
  const auto bytes = TRY(in.take_raw(id.bytes.size()));
  std::memcpy(id.bytes.data(), bytes.data(), bytes.size());
  return id;
}

template <typename Id>
std::string_view view(const Id& id) {
  return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}

/// A value that its own codec cannot read is damage, not a peer's syntax.
template <typename T>
Result<T> as_damage(Result<T> result) {
  if (!result) result.error().code = Errc::corrupt;
  return result;
}

Result<MailboxEntry> parse_mailbox(std::string_view bytes) {
  auto in = TRY(open_row(bytes));
  MailboxEntry entry;
  entry.id = TRY(take_id<MailboxId>(in));
  entry.uidvalidity = UidValidity(TRY(in.take<std::uint32_t>()));
  entry.version = TRY(in.take<std::uint64_t>());
  entry.created = TRY(in.take<std::int64_t>());
  entry.partition = TRY(in.take_bytes());
  entry.special_use = TRY(in.take_bytes());
  entry.acl = TRY(Acl::from_text(TRY(in.take_bytes())));
  return entry;
}

Result<QuotaRow> parse_quota(std::string_view bytes) {
  auto in = TRY(open_row(bytes));
  QuotaRow row;
  for (std::size_t i = 0; i < kResources; ++i) {
    const auto limited = TRY(in.take<std::uint8_t>());
    const auto limit = TRY(in.take<std::uint64_t>());
    if (limited != 0) row.limit[i] = limit;
    row.usage[i] = TRY(in.take<std::uint64_t>());
  }
  return row;
}

Result<UsageRow> parse_usage(std::string_view bytes) {
  auto in = TRY(open_row(bytes));
  UsageRow row;
  row.modseq = TRY(in.take<std::uint64_t>());
  for (auto& usage : row.usage) usage = TRY(in.take<std::uint64_t>());
  row.due = TRY(in.take<std::int64_t>());
  row.root = TRY(in.take_bytes());
  return row;
}

Result<UserRecord> parse_user(std::string_view bytes) {
  auto in = TRY(open_row(bytes));
  UserRecord record;
  record.id = TRY(take_id<UserId>(in));
  record.generation = TRY(in.take<std::uint64_t>());
  record.created = TRY(in.take<std::int64_t>());
  record.partition = TRY(in.take_bytes());
  return record;
}

}  // namespace

std::string raw(const MailboxId& id) { return std::string(view(id)); }

Result<MailboxId> mailbox_id_from(std::string_view bytes) {
  WireReader in(bytes);
  return as_damage(take_id<MailboxId>(in));
}

std::string MailboxCodec::value(const MailboxEntry& entry) {
  WireWriter out = begin_row();
  out.put_raw(view(entry.id));
  out.put(entry.uidvalidity.value());
  out.put(entry.version);
  out.put(entry.created);
  out.put_bytes(entry.partition);
  out.put_bytes(entry.special_use);
  out.put_bytes(entry.acl.text());
  return std::move(out).bytes();
}

bool MailboxCodec::has_special_use(std::string_view bytes) {
  WireReader in(bytes);
  const auto fixed = in.take_raw(1 + sizeof(MailboxId) + 4 + 8 + 8);
  const auto partition = fixed ? in.take_bytes() : fixed;
  const auto uses = partition ? in.take_bytes() : partition;
  return !uses || !uses->empty();  // damage is for who parses it
}

Result<MailboxEntry> MailboxCodec::parse(std::string_view bytes) {
  return as_damage(parse_mailbox(bytes));
}

std::string QuotaCodec::value(const QuotaRow& row) {
  WireWriter out = begin_row();
  for (std::size_t i = 0; i < kResources; ++i) {
    out.put(static_cast<std::uint8_t>(row.limit[i].has_value()));
    out.put(row.limit[i].value_or(0));
    out.put(row.usage[i]);
  }
  return std::move(out).bytes();
}

Result<QuotaRow> QuotaCodec::parse(std::string_view bytes) { return as_damage(parse_quota(bytes)); }

std::string UsageCodec::key(const MailboxId& id) { return raw(id); }

std::string UsageCodec::value(const UsageRow& row) {
  WireWriter out = begin_row();
  out.put(row.modseq);
  for (const auto usage : row.usage) out.put(usage);
  out.put(row.due);
  out.put_bytes(row.root);
  return std::move(out).bytes();
}

Result<UsageRow> UsageCodec::parse(std::string_view bytes) { return as_damage(parse_usage(bytes)); }

std::string UserCodec::value(const UserRecord& record) {
  WireWriter out = begin_row();
  out.put_raw(view(record.id));
  out.put(record.generation);
  out.put(record.created);
  out.put_bytes(record.partition);
  return std::move(out).bytes();
}

Result<UserRecord> UserCodec::parse(std::string_view bytes) { return as_damage(parse_user(bytes)); }

std::string CounterCodec::value(std::uint64_t number) {
  WireWriter out;
  out.put(number);
  return std::move(out).bytes();
}

Result<std::uint64_t> CounterCodec::parse(std::string_view bytes) {
  WireReader in(bytes);
  return as_damage(in.take<std::uint64_t>());
}

Result<Tables> Tables::open(db::Environment& env) {
  return Tables{
      .mailboxes = TRY(db::Typed<MailboxCodec>::open(env, "mailboxes")),
      .ids = TRY(db::Table::open(env, "ids")),
      .rights = TRY(db::Table::open(env, "rights")),
      .subscriptions = TRY(db::Table::open(env, "subscriptions")),
      .quotas = TRY(db::Typed<QuotaCodec>::open(env, "quotas")),
      .usage = TRY(db::Typed<UsageCodec>::open(env, "usage")),
      .annotations = TRY(db::Table::open(env, "annotations")),
      .snoozed = TRY(db::Table::open(env, "snoozed")),
      .marks = TRY(db::Table::open(env, "marks")),
      .users = TRY(db::Typed<UserCodec>::open(env, "users")),
      .requests = TRY(db::Table::open(env, "requests")),
      .outbox = TRY(db::Table::open(env, "outbox")),
      .due = TRY(db::Table::open(env, "due")),
      .unlisted = TRY(db::Table::open(env, "unlisted")),
      .exports = TRY(db::Table::open(env, "exports")),
      .counters = TRY(db::Typed<CounterCodec>::open(env, "counters")),
  };
}

}  // namespace postern::meta
