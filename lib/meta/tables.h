// The tables of the metadata and how their rows are written. Keys are octet strings in which a
// mailbox name is MailboxName::key(); values begin with a format octet.
//
//   mailboxes      name key                     -> MailboxEntry without its name
//   ids            mailbox id                   -> name key
//   rights         identifier NUL name key      -> ""   every positive ACL line with l, the owner's
//                                                       own excepted: what LIST shows a sharee
//   subscriptions  user NUL client's name       -> ""
//   quotas         name key of the root         -> QuotaRow
//   usage          mailbox id                   -> UsageRow
//   annotations    mailbox id, user NUL entry   -> value; id zero is the server
//   snoozed        time (big-endian), mailbox id, guid -> Snoozed in its wire form
//   marks          kind, owner NUL key          -> end of life, value
//   users          user                         -> UserRecord without its name
//   requests       client instance              -> sequence, time, the reply that was given
//   outbox         mailbox id                   -> version whose copy the header has to get
//   due            time (big-endian), mailbox id -> ""
//   unlisted       mailbox id                   -> since when its directory may be there without
//                                                  the mailbox in the list, partition
//   exports        user, or NUL user id         -> version of the last change that the user's
//                                                  export misses; for one who is gone, partition
//   counters       name                         -> number
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/ids.h"
#include "lib/base/result.h"
#include "lib/db/table.h"
#include "lib/meta/meta.h"

namespace postern::meta {

constexpr std::size_t kResources = 4;

struct QuotaRow {
  std::array<std::optional<std::uint64_t>, kResources> limit;
  std::array<std::uint64_t, kResources> usage{};  // by Resource
};

/// What one mailbox counts for, and for which root.
struct UsageRow {
  std::uint64_t modseq = 0;
  std::array<std::uint64_t, kResources> usage{};
  std::string root;      // name key; empty: no quota applies
  std::int64_t due = 0;  // seconds UTC; 0: nothing to do
};

struct MailboxCodec {
  using Key = MailboxName;
  using Value = MailboxEntry;  // parse() leaves the name empty
  static std::string key(const MailboxName& name) { return name.key(); }
  static std::string value(const MailboxEntry& entry);
  static Result<MailboxEntry> parse(std::string_view bytes);
  /// Without looking at the rest.
  static bool has_special_use(std::string_view bytes);
};

struct QuotaCodec {
  using Key = std::string;  // name key
  using Value = QuotaRow;
  static const std::string& key(const std::string& root) { return root; }
  static std::string value(const QuotaRow& row);
  static Result<QuotaRow> parse(std::string_view bytes);
};

struct UsageCodec {
  using Key = MailboxId;
  using Value = UsageRow;
  static std::string key(const MailboxId& id);
  static std::string value(const UsageRow& row);
  static Result<UsageRow> parse(std::string_view bytes);
};

struct UserCodec {
  using Key = UserName;
  using Value = UserRecord;  // parse() leaves the name empty
  static const std::string& key(const UserName& user) { return user.text(); }
  static std::string value(const UserRecord& record);
  static Result<UserRecord> parse(std::string_view bytes);
};

struct CounterCodec {
  using Key = std::string;
  using Value = std::uint64_t;
  static const std::string& key(const std::string& name) { return name; }
  static std::string value(std::uint64_t number);
  static Result<std::uint64_t> parse(std::string_view bytes);
};

struct Tables {
  static Result<Tables> open(db::Environment& env);

  db::Typed<MailboxCodec> mailboxes;
  db::Table ids;
  db::Table rights;
  db::Table subscriptions;
  db::Typed<QuotaCodec> quotas;
  db::Typed<UsageCodec> usage;
  db::Table annotations;
  db::Table snoozed;
  db::Table marks;
  db::Typed<UserCodec> users;
  db::Table requests;
  db::Table outbox;
  db::Table due;
  db::Table unlisted;
  db::Table exports;
  db::Typed<CounterCodec> counters;
};

/// The 16 octets of an id as a key.
std::string raw(const MailboxId& id);
Result<MailboxId> mailbox_id_from(std::string_view bytes);

}  // namespace postern::meta
