#include "pop3d/connection.h"

#include "lib/base/wire.h"

namespace postern::pop3d {
namespace {

// Numbers are for ever: a record may outlive the program that wrote it.
enum Tag : std::uint16_t {
  kState = 1 | kCriticalTag,
  kClaimedUser = 2 | kCriticalTag,
  kFailedLogins = 3,
  kBadCommands = 4,
  kUtf8 = 5 | kCriticalTag,
  kUser = 6 | kCriticalTag,
  kGroup = 7 | kCriticalTag,
  kAdmin = 8 | kCriticalTag,
  kMailbox = 9 | kCriticalTag,
  kRights = 10 | kCriticalTag,
  kView = 11 | kCriticalTag,
  kDeleted = 12 | kCriticalTag,
  kRetrieved = 13 | kCriticalTag,
};

std::string runs_of(const std::vector<std::uint32_t>& numbers) {
  WireWriter out;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t j = i;
    while (j + 1 < numbers.size() && numbers[j + 1] == numbers[j] + 1) ++j;
    out.put(numbers[i]);
    out.put(numbers[j]);
    i = j + 1;
  }
  return std::move(out).bytes();
}

Result<std::vector<std::uint32_t>> numbers_of(std::string_view runs) {
  std::vector<std::uint32_t> out;
  WireReader in(runs);
  while (!in.at_end()) {
    const auto first = TRY(in.take<std::uint32_t>());
    const auto last = TRY(in.take<std::uint32_t>());
    if (last < first) return fail(Errc::bad_syntax, "run {}:{}", first, last);
    for (std::uint64_t n = first; n <= last; ++n) out.push_back(static_cast<std::uint32_t>(n));
  }
  return out;
}

std::string text_of(const store::ViewMark& view) {
  WireWriter out;
  out.put_raw(
      {reinterpret_cast<const char*>(view.mailbox.bytes.data()), view.mailbox.bytes.size()});
  out.put(view.uidvalidity.value());
  out.put(view.told_uidnext.value());
  out.put(view.told_expunge.value());
  out.put(view.told_change.value());
  out.put(view.exists);
  return std::move(out).bytes();
}

Result<store::ViewMark> view_of(std::string_view text) {
  WireReader in(text);
  store::ViewMark view;
  const auto id = TRY(in.take_raw(view.mailbox.bytes.size()));
  std::memcpy(view.mailbox.bytes.data(), id.data(), id.size());
  view.uidvalidity = UidValidity(TRY(in.take<std::uint32_t>()));
  view.told_uidnext = Uid(TRY(in.take<std::uint32_t>()));
  view.told_expunge = ModSeq(TRY(in.take<std::uint64_t>()));
  view.told_change = ModSeq(TRY(in.take<std::uint64_t>()));
  view.exists = TRY(in.take<std::uint32_t>());
  return view;
}

Result<void> take_maildrop_field(const TlvField& field, Maildrop& drop) {
  switch (field.tag) {
    case kMailbox:
      drop.name = TRY(meta::MailboxName::from_utf8(field.value));
      return {};
    case kRights:
      drop.rights = meta::Rights::from_bits(TRY(field.number<std::uint32_t>()));
      return {};
    case kView:
      drop.view = TRY(view_of(field.value));
      return {};
    case kDeleted:
      drop.deleted = TRY(numbers_of(field.value));
      return {};
    case kRetrieved:
      drop.retrieved = TRY(numbers_of(field.value));
      return {};
    default:
      break;
  }
  if ((field.tag & kCriticalTag) != 0) return fail(Errc::not_supported, "field {}", field.tag);
  return {};
}

Result<void> take_field(const TlvField& field, Connection& conn) {
  switch (field.tag) {
    case kState:
      conn.state = static_cast<State>(TRY(field.number<std::uint8_t>()));
      return {};
    case kClaimedUser:
      conn.claimed_user = field.value;
      return {};
    case kFailedLogins:
      conn.failed_logins = TRY(field.number<std::uint32_t>());
      return {};
    case kBadCommands:
      conn.bad_commands = TRY(field.number<std::uint32_t>());
      return {};
    case kUtf8:
      conn.utf8 = TRY(field.number<std::uint8_t>()) != 0;
      return {};
    case kUser:
      conn.who.user = TRY(meta::UserName::from_utf8(field.value));
      return {};
    case kGroup:
      conn.who.groups.emplace_back(field.value);
      return {};
    case kAdmin:
      conn.who.admin = TRY(field.number<std::uint8_t>()) != 0;
      return {};
    default:
      return take_maildrop_field(field, conn.maildrop);
  }
}

void put_maildrop(TlvWriter& out, const Maildrop& drop) {
  out.bytes(kMailbox, drop.name.text());
  out.number(kRights, drop.rights.bits());
  out.bytes(kView, text_of(drop.view));
  out.bytes(kDeleted, runs_of(drop.deleted));
  out.bytes(kRetrieved, runs_of(drop.retrieved));
}

}  // namespace

std::string Connection::serialise() const {
  TlvWriter out;
  out.number(kState, static_cast<std::uint8_t>(state));
  if (!claimed_user.empty()) out.bytes(kClaimedUser, claimed_user);
  out.number(kFailedLogins, failed_logins);
  out.number(kBadCommands, bad_commands);
  out.number(kUtf8, static_cast<std::uint8_t>(utf8));
  if (!who.user.empty()) out.bytes(kUser, who.user.text());
  for (const std::string& group : who.groups) out.bytes(kGroup, group);
  out.number(kAdmin, static_cast<std::uint8_t>(who.admin));
  if (state == State::transaction) put_maildrop(out, maildrop);
  return std::move(out).take();
}

Result<Connection> Connection::restore(std::string_view record) {
  Connection conn;
  TlvReader in(record);
  while (!in.at_end()) TRY(take_field(TRY(in.next()), conn));
  return conn;
}

}  // namespace postern::pop3d
