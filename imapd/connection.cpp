// The parked record of an IMAP session: doc/imap.md, "The parked record".
#include "imapd/connection.h"

#include "lib/base/wire.h"

namespace postern::imap {
namespace {

// Numbers are for ever. What a reader may not ignore has kCriticalTag.
enum Tag : std::uint16_t {
  kVersion = kCriticalTag | 1,
  kState = kCriticalTag | 2,
  kIdleTag = kCriticalTag | 3,
  kUser = kCriticalTag | 4,
  kGroup = kCriticalTag | 5,
  kAdmin = kCriticalTag | 6,
  kAnonymous = kCriticalTag | 7,
  kAuthenticatedAs = 8,
  kGeneration = kCriticalTag | 9,
  kFailedLogins = 10,
  kBadCommands = 11,
  kEnabled = kCriticalTag | 12,
  kClientId = 13,
  kLoginAt = 14,
  kCommands = 15,
  kOctetsIn = 16,
  kOctetsOut = 17,
  kMailbox = kCriticalTag | 32,
  kUidValidity = kCriticalTag | 33,
  kToldUidNext = kCriticalTag | 34,
  kToldExpunge = kCriticalTag | 35,
  kToldChange = kCriticalTag | 36,
  kExists = kCriticalTag | 37,
  kReadOnly = kCriticalTag | 38,
  kRecent = kCriticalTag | 39,
  kToldKeywords = kCriticalTag | 40,
  kSavedSearch = kCriticalTag | 41,
};
constexpr std::uint8_t kFormat = 1;

std::string_view bytes_of(const MailboxId& id) {
  return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}

std::string ranges_text(const std::vector<UidRange>& ranges) {
  WireWriter out;
  for (const UidRange& range : ranges) {
    out.put(range.first.value());
    out.put(range.last.value());
  }
  return std::move(out).bytes();
}

Result<std::vector<UidRange>> ranges_from(std::string_view bytes) {
  std::vector<UidRange> ranges;
  WireReader in(bytes);
  while (!in.at_end()) {
    const auto first = TRY(in.take<std::uint32_t>());
    const auto last = TRY(in.take<std::uint32_t>());
    ranges.push_back({Uid(first), Uid(last)});
  }
  return ranges;
}

void write_selected(TlvWriter& out, const SelectedMailbox& selected) {
  out.bytes(kMailbox, bytes_of(selected.mark.mailbox));
  out.number(kUidValidity, selected.mark.uidvalidity.value());
  out.number(kToldUidNext, selected.mark.told_uidnext.value());
  out.number(kToldExpunge, selected.mark.told_expunge.value());
  out.number(kToldChange, selected.mark.told_change.value());
  out.number(kExists, selected.mark.exists);
  out.number(kReadOnly, std::uint8_t{selected.read_only});
  out.bytes(kRecent, ranges_text(selected.recent));
  out.number(kToldKeywords, selected.told_keywords);
  out.bytes(kSavedSearch, ranges_text(selected.saved_search));
}

// The selected mailbox; kMailbox comes first of its fields. False: not one of them.
Result<bool> read_selected(const TlvField& field, Connection& conn) {
  if (field.tag == kMailbox) {
    SelectedMailbox fresh;
    if (field.value.size() != fresh.mark.mailbox.bytes.size())
      return fail(Errc::bad_syntax, "mailbox id of {} octets", field.value.size());
    std::memcpy(fresh.mark.mailbox.bytes.data(), field.value.data(), field.value.size());
    conn.selected = std::move(fresh);
    return true;
  }
  if (!conn.selected) return false;
  SelectedMailbox& selected = *conn.selected;
  switch (field.tag) {
    case kUidValidity:
      selected.mark.uidvalidity = UidValidity(TRY(field.number<std::uint32_t>()));
      return true;
    case kToldUidNext:
      selected.mark.told_uidnext = Uid(TRY(field.number<std::uint32_t>()));
      return true;
    case kToldExpunge:
      selected.mark.told_expunge = ModSeq(TRY(field.number<std::uint64_t>()));
      return true;
    case kToldChange:
      selected.mark.told_change = ModSeq(TRY(field.number<std::uint64_t>()));
      return true;
    case kExists:
      selected.mark.exists = TRY(field.number<std::uint32_t>());
      return true;
    case kReadOnly:
      selected.read_only = TRY(field.number<std::uint8_t>()) != 0;
      return true;
    case kRecent:
      selected.recent = TRY(ranges_from(field.value));
      return true;
    case kToldKeywords:
      selected.told_keywords = TRY(field.number<std::uint32_t>());
      return true;
    case kSavedSearch:
      selected.saved_search = TRY(ranges_from(field.value));
      return true;
    default:
      return false;
  }
}

Result<bool> read_identity(const TlvField& field, Connection& conn) {
  switch (field.tag) {
    case kUser:
      conn.who.user = TRY(meta::UserName::from_utf8(field.value));
      return true;
    case kGroup:
      conn.who.groups.emplace_back(field.value);
      return true;
    case kAdmin:
      conn.who.admin = TRY(field.number<std::uint8_t>()) != 0;
      return true;
    case kAnonymous:
      conn.who.anonymous = TRY(field.number<std::uint8_t>()) != 0;
      return true;
    case kAuthenticatedAs:
      conn.authenticated_as = field.value;
      return true;
    case kGeneration:
      conn.user_generation = TRY(field.number<std::uint64_t>());
      return true;
    case kFailedLogins:
      conn.failed_logins = TRY(field.number<std::uint32_t>());
      return true;
    default:
      return false;
  }
}

Result<bool> read_state(const TlvField& field, Connection& conn) {
  switch (field.tag) {
    case kState: {
      const auto state = TRY(field.number<std::uint8_t>());
      if (state > 2) return fail(Errc::bad_syntax, "state {}", state);
      conn.state = static_cast<Connection::State>(state);
      return true;
    }
    case kIdleTag:
      conn.idle_tag = field.value;
      return true;
    case kBadCommands:
      conn.bad_commands = TRY(field.number<std::uint32_t>());
      return true;
    case kEnabled:
      conn.enabled = TRY(field.number<std::uint32_t>());
      return true;
    case kClientId:
      conn.client_id = field.value;
      return true;
    case kLoginAt:
      conn.login_at = TRY(field.number<std::int64_t>());
      return true;
    case kCommands:
      conn.commands = TRY(field.number<std::uint64_t>());
      return true;
    case kOctetsIn:
      conn.octets_in = TRY(field.number<std::uint64_t>());
      return true;
    case kOctetsOut:
      conn.octets_out = TRY(field.number<std::uint64_t>());
      return true;
    default:
      return false;
  }
}

Result<void> read_field(const TlvField& field, Connection& conn) {
  if (field.tag == kVersion) {
    const auto version = TRY(field.number<std::uint8_t>());
    if (version != kFormat) return fail(Errc::not_supported, "record version {}", version);
    return {};
  }
  if (TRY(read_state(field, conn))) return {};
  if (TRY(read_identity(field, conn))) return {};
  if (TRY(read_selected(field, conn))) return {};
  if ((field.tag & kCriticalTag) != 0)
    return fail(Errc::not_supported, "critical field {}", field.tag & ~kCriticalTag);
  return {};
}

}  // namespace

std::string Connection::serialise() const {
  TlvWriter out;
  out.number(kVersion, kFormat);
  out.number(kState, static_cast<std::uint8_t>(state));
  if (in_idle()) out.bytes(kIdleTag, idle_tag);
  if (!who.user.empty()) out.bytes(kUser, who.user.text());
  for (const std::string& group : who.groups) out.bytes(kGroup, group);
  if (who.admin) out.number(kAdmin, std::uint8_t{1});
  if (who.anonymous) out.number(kAnonymous, std::uint8_t{1});
  if (!authenticated_as.empty()) out.bytes(kAuthenticatedAs, authenticated_as);
  out.number(kGeneration, user_generation);
  if (failed_logins != 0) out.number(kFailedLogins, failed_logins);
  if (bad_commands != 0) out.number(kBadCommands, bad_commands);
  out.number(kEnabled, enabled);
  if (!client_id.empty()) out.bytes(kClientId, client_id);
  out.number(kLoginAt, login_at);
  out.number(kCommands, commands);
  out.number(kOctetsIn, octets_in);
  out.number(kOctetsOut, octets_out);
  if (selected) write_selected(out, *selected);
  return std::move(out).take();
}

Result<Connection> Connection::restore(std::string_view record) {
  Connection conn;
  TlvReader in(record);
  while (!in.at_end()) {
    const TlvField field = TRY(in.next());
    TRY(read_field(field, conn));
  }
  if ((conn.state == State::selected) != conn.selected.has_value())
    return fail(Errc::bad_syntax, "state and selected mailbox disagree");
  return conn;
}

}  // namespace postern::imap
