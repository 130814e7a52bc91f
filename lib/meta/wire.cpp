#include "lib/meta/wire.h"

#include "lib/base/crc32c.h"

namespace postern::meta::wire {
namespace {

template <typename Id>
Result<Id> get_id(WireReader& in) {
  Id id;
  const auto bytes = TRY(in.take_raw(id.bytes.size()));
  std::memcpy(id.bytes.data(), bytes.data(), bytes.size());
  return id;
}

template <typename Id>
void put_id(WireWriter& out, const Id& id) {
  out.put_raw({reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()});
}

template <typename Enum>
Result<Enum> get_enum(WireReader& in, Enum highest) {
  const auto number = TRY(in.take<std::uint8_t>());
  if (number > static_cast<std::uint8_t>(highest))
    return fail(Errc::bad_syntax, "a kind {}", number);
  return static_cast<Enum>(number);
}

}  // namespace

std::string frame(std::string_view payload) {
  WireWriter out;
  out.put(static_cast<std::uint32_t>(payload.size()));
  out.put(crc32c(payload));
  out.put_raw(payload);
  return std::move(out).bytes();
}

Result<std::optional<Frame>> take_frame(std::string_view input) {
  if (input.size() < kFrameHead) return std::optional<Frame>();
  WireReader in(input);
  const auto size = TRY(in.take<std::uint32_t>());
  const auto crc = TRY(in.take<std::uint32_t>());
  if (size > kMostPayload) return fail(Errc::too_big, "a frame of {} octets", size);
  if (in.rest().size() < size) return std::optional<Frame>();
  const auto payload = in.rest().substr(0, size);
  if (crc32c(payload) != crc) return fail(Errc::corrupt, "a frame with a wrong checksum");
  return std::optional<Frame>(Frame{payload, kFrameHead + size});
}

void put(WireWriter& out, const RequestHead& head) {
  out.put(static_cast<std::uint8_t>(head.op));
  out.put(head.flags);
  out.put(head.sequence);
}

Result<RequestHead> take_head(WireReader& in) {
  RequestHead head;
  head.op = static_cast<Op>(TRY(in.take<std::uint8_t>()));
  head.flags = TRY(in.take<std::uint8_t>());
  head.sequence = TRY(in.take<std::uint64_t>());
  return head;
}

std::string reply(std::uint64_t sequence) {
  WireWriter out;
  out.put(sequence);
  out.put(std::uint8_t{0});
  return std::move(out).bytes();
}

std::string reply_error(std::uint64_t sequence, const Error& error) {
  WireWriter out;
  out.put(sequence);
  out.put(static_cast<std::uint8_t>(1 + static_cast<int>(error.code)));
  out.put_bytes(error.text);
  return std::move(out).bytes();
}

Result<std::uint64_t> take_sequence(WireReader& in) { return in.take<std::uint64_t>(); }

Result<void> take_status(WireReader& in) {
  const auto status = TRY(in.take<std::uint8_t>());
  if (status == 0) return {};
  const int code = status - 1;
  const auto text = TRY(in.take_bytes());
  // An error that only a newer metad knows.
  if (code > static_cast<int>(Errc::io)) return fail(Errc::unavailable, "{}", text);
  return Error{static_cast<Errc>(code), std::string(text)};
}

void put(WireWriter& out, bool value) { out.put(static_cast<std::uint8_t>(value)); }
Result<bool> get(WireReader& in, As<bool>) { return TRY(in.take<std::uint8_t>()) != 0; }

void put(WireWriter& out, std::string_view value) { out.put_bytes(value); }
Result<std::string> get(WireReader& in, As<std::string>) {
  return std::string(TRY(in.take_bytes()));
}

void put(WireWriter& out, const MailboxName& value) {
  out.put_bytes(value.empty() ? std::string() : value.key());
}
Result<MailboxName> get(WireReader& in, As<MailboxName>) {
  const auto key = TRY(in.take_bytes());
  return key.empty() ? MailboxName() : MailboxName::from_key(key);
}

void put(WireWriter& out, const UserName& value) { out.put_bytes(value.text()); }
Result<UserName> get(WireReader& in, As<UserName>) {
  const auto text = TRY(in.take_bytes());
  return text.empty() ? UserName() : UserName::from_utf8(text);
}

void put(WireWriter& out, const MailboxId& value) { put_id(out, value); }
Result<MailboxId> get(WireReader& in, As<MailboxId>) { return get_id<MailboxId>(in); }
void put(WireWriter& out, const UserId& value) { put_id(out, value); }
Result<UserId> get(WireReader& in, As<UserId>) { return get_id<UserId>(in); }

void put(WireWriter& out, Rights value) { out.put(value.bits()); }
Result<Rights> get(WireReader& in, As<Rights>) {
  return Rights::from_bits(TRY(in.take<std::uint32_t>()));
}

void put(WireWriter& out, const Acl& value) { out.put_bytes(value.text()); }
Result<Acl> get(WireReader& in, As<Acl>) { return Acl::from_text(TRY(in.take_bytes())); }

void put(WireWriter& out, const Identity& value) {
  put(out, value.user);
  put(out, value.groups);
  put(out, value.admin);
  put(out, value.anonymous);
}
Result<Identity> get(WireReader& in, As<Identity>) {
  Identity out;
  out.user = TRY(get(in, As<UserName>()));
  out.groups = TRY(get(in, As<std::vector<std::string>>()));
  out.admin = TRY(get(in, As<bool>()));
  out.anonymous = TRY(get(in, As<bool>()));
  return out;
}

void put(WireWriter& out, const MailboxEntry& value) {
  put(out, value.id);
  put(out, value.name);
  put(out, value.partition);
  put(out, value.acl);
  put(out, value.uidvalidity.value());
  put(out, value.special_use);
  put(out, value.version);
  put(out, value.created);
}
Result<MailboxEntry> get(WireReader& in, As<MailboxEntry>) {
  MailboxEntry out;
  out.id = TRY(get(in, As<MailboxId>()));
  out.name = TRY(get(in, As<MailboxName>()));
  out.partition = TRY(get(in, As<std::string>()));
  out.acl = TRY(get(in, As<Acl>()));
  out.uidvalidity = UidValidity(TRY(in.take<std::uint32_t>()));
  out.special_use = TRY(get(in, As<std::string>()));
  out.version = TRY(in.take<std::uint64_t>());
  out.created = TRY(in.take<std::int64_t>());
  return out;
}

void put(WireWriter& out, const ListScope& value) {
  put(out, value.who);
  put(out, value.roots);
}
Result<ListScope> get(WireReader& in, As<ListScope>) {
  ListScope out;
  out.who = TRY(get(in, As<Identity>()));
  out.roots = TRY(get(in, As<std::vector<MailboxName>>()));
  return out;
}

void put(WireWriter& out, const ListPage& value) {
  put(out, value.rows);
  put(out, value.more);
  put(out, value.last);
}
Result<ListPage> get(WireReader& in, As<ListPage>) {
  ListPage out;
  out.rows = TRY(get(in, As<std::string>()));
  out.more = TRY(get(in, As<bool>()));
  out.last = TRY(get(in, As<std::string>()));
  return out;
}

void put(WireWriter& out, const NewMailbox& value) {
  put(out, value.name);
  put(out, value.id);
  put(out, value.partition);
  put(out, value.acl);
  put(out, value.special_use);
}
Result<NewMailbox> get(WireReader& in, As<NewMailbox>) {
  NewMailbox out;
  out.name = TRY(get(in, As<MailboxName>()));
  out.id = TRY(get(in, As<MailboxId>()));
  out.partition = TRY(get(in, As<std::string>()));
  out.acl = TRY(get(in, As<Acl>()));
  out.special_use = TRY(get(in, As<std::string>()));
  return out;
}

void put(WireWriter& out, const Renamed& value) {
  put(out, value.before);
  put(out, value.after);
}
Result<Renamed> get(WireReader& in, As<Renamed>) {
  Renamed out;
  out.before = TRY(get(in, As<MailboxEntry>()));
  out.after = TRY(get(in, As<MailboxEntry>()));
  return out;
}

void put(WireWriter& out, const QuotaResource& value) {
  out.put(static_cast<std::uint8_t>(value.resource));
  put(out, value.usage);
  put(out, value.limit);
}
Result<QuotaResource> get(WireReader& in, As<QuotaResource>) {
  QuotaResource out;
  out.resource = TRY(get_enum(in, Resource::annotation_storage));
  out.usage = TRY(in.take<std::uint64_t>());
  out.limit = TRY(get(in, As<std::optional<std::uint64_t>>()));
  return out;
}

void put(WireWriter& out, const QuotaRoot& value) {
  put(out, value.root);
  put(out, value.resources);
}
Result<QuotaRoot> get(WireReader& in, As<QuotaRoot>) {
  QuotaRoot out;
  out.root = TRY(get(in, As<MailboxName>()));
  out.resources = TRY(get(in, As<std::vector<QuotaResource>>()));
  return out;
}

void put(WireWriter& out, const Usage& value) {
  put(out, value.mailbox);
  put(out, value.modseq.value());
  put(out, value.bytes);
  put(out, value.messages);
  put(out, value.due);
}
Result<Usage> get(WireReader& in, As<Usage>) {
  Usage out;
  out.mailbox = TRY(get(in, As<MailboxId>()));
  out.modseq = ModSeq(TRY(in.take<std::uint64_t>()));
  out.bytes = TRY(in.take<std::uint64_t>());
  out.messages = TRY(in.take<std::uint64_t>());
  out.due = TRY(in.take<std::int64_t>());
  return out;
}

void put(WireWriter& out, Reservation value) { out.put(value.id); }
Result<Reservation> get(WireReader& in, As<Reservation>) {
  return Reservation{TRY(in.take<std::uint64_t>())};
}

void put(WireWriter& out, const UserRecord& value) {
  put(out, value.name);
  put(out, value.id);
  put(out, value.partition);
  put(out, value.generation);
  put(out, value.created);
}
Result<UserRecord> get(WireReader& in, As<UserRecord>) {
  UserRecord out;
  out.name = TRY(get(in, As<UserName>()));
  out.id = TRY(get(in, As<UserId>()));
  out.partition = TRY(get(in, As<std::string>()));
  out.generation = TRY(in.take<std::uint64_t>());
  out.created = TRY(in.take<std::int64_t>());
  return out;
}

void put(WireWriter& out, const Unlisted& value) {
  put(out, value.id);
  put(out, value.partition);
  put(out, value.since);
}
Result<Unlisted> get(WireReader& in, As<Unlisted>) {
  Unlisted out;
  out.id = TRY(get(in, As<MailboxId>()));
  out.partition = TRY(get(in, As<std::string>()));
  out.since = TRY(in.take<std::int64_t>());
  return out;
}

void put(WireWriter& out, const DueExport& value) {
  put(out, value.key);
  put(out, value.version);
  put(out, value.user);
}
Result<DueExport> get(WireReader& in, As<DueExport>) {
  DueExport out;
  out.key = TRY(get(in, As<std::string>()));
  out.version = TRY(in.take<std::uint64_t>());
  out.user = TRY(get(in, As<UserRecord>()));
  return out;
}

void put(WireWriter& out, const Mark& value) {
  out.put(static_cast<std::uint8_t>(value.kind));
  put(out, value.owner);
  put(out, value.key);
}
Result<Mark> get(WireReader& in, As<Mark>) {
  Mark out;
  out.kind = TRY(get_enum(in, MarkKind::submission));
  out.owner = TRY(get(in, As<std::string>()));
  out.key = TRY(get(in, As<std::string>()));
  return out;
}

void put(WireWriter& out, const Annotation& value) {
  put(out, value.mailbox);
  put(out, value.user);
  put(out, value.entry);
  put(out, value.value);
}
Result<Annotation> get(WireReader& in, As<Annotation>) {
  Annotation out;
  out.mailbox = TRY(get(in, As<MailboxName>()));
  out.user = TRY(get(in, As<UserName>()));
  out.entry = TRY(get(in, As<std::string>()));
  out.value = TRY(get(in, As<std::string>()));
  return out;
}

void put(WireWriter& out, const AnnotationChange& value) {
  put(out, value.user);
  put(out, value.entry);
  put(out, value.value);
}
Result<AnnotationChange> get(WireReader& in, As<AnnotationChange>) {
  AnnotationChange out;
  out.user = TRY(get(in, As<UserName>()));
  out.entry = TRY(get(in, As<std::string>()));
  out.value = TRY(get(in, As<std::optional<std::string>>()));
  return out;
}

void put(WireWriter& out, const Guid& value) { put(out, value.hex()); }
Result<Guid> get(WireReader& in, As<Guid>) {
  return Guid::from_hex(TRY(get(in, As<std::string>())));
}

void put(WireWriter& out, const Snoozed& value) {
  out.put(value.until);
  put(out, value.mailbox);
  put(out, value.guid);
  out.put(value.since);
  put(out, value.user);
  put(out, value.target);
  put(out, value.create);
  put(out, value.mailbox_id);
  put(out, value.special_use);
  put(out, value.add_flags);
  put(out, value.remove_flags);
}
Result<Snoozed> get(WireReader& in, As<Snoozed>) {
  Snoozed out;
  out.until = TRY(in.take<std::int64_t>());
  out.mailbox = TRY(get(in, As<MailboxId>()));
  out.guid = TRY(get(in, As<Guid>()));
  out.since = TRY(in.take<std::int64_t>());
  out.user = TRY(get(in, As<UserName>()));
  out.target = TRY(get(in, As<std::string>()));
  out.create = TRY(get(in, As<bool>()));
  out.mailbox_id = TRY(get(in, As<std::string>()));
  out.special_use = TRY(get(in, As<std::string>()));
  out.add_flags = TRY(get(in, As<std::vector<std::string>>()));
  out.remove_flags = TRY(get(in, As<std::vector<std::string>>()));
  return out;
}

}  // namespace postern::meta::wire
