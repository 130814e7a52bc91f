// The metadata operations: mailboxes list, ACLs, quota roots, subscriptions, annotations, duplicate
// and vacation marks, users. One abstract interface, two forms: a client of metad (client.h), and
// embedded (embedded.h: exclusive, for tools while the server is down and for unit tests).
//
// Every operation is one transaction and either happens whole or not at all. A mutation that a
// client repeats after a lost answer gives the first answer again. Never call any of these under a
// mailbox lock (doc/locking.md).
//
// Errors of all operations: unavailable (metad is down for longer than the time limit), io,
// corrupt.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/ids.h"
#include "lib/base/result.h"
#include "lib/meta/acl.h"
#include "lib/meta/name.h"

namespace postern::meta {

/// One line of the mailboxes list.
struct MailboxEntry {
  MailboxId id;
  MailboxName name;
  std::string partition;  // a name of the configuration, "default"
  Acl acl;
  UidValidity uidvalidity;    // from one growing counter of the server
  std::string special_use;    // space-separated attributes, "\\Sent"; "" without (RFC 6154)
  std::uint64_t version = 0;  // metad's commit counter at the last change of this entry
  std::int64_t created = 0;   // seconds UTC
};

struct ListedMailbox {
  MailboxEntry entry;
  Rights rights;  // of the one who asked
};

/// What list() looks through. Only mailboxes that `who` may look up (right l) are given; an admin
/// sees all.
struct ListScope {
  Identity who;
  /// Roots to walk; empty = everything that `who` can see: own tree, others' and shared mailboxes.
  std::vector<MailboxName> roots;
};

/// What look_up() says of one name.
struct LookedUp {
  std::optional<ListedMailbox> mailbox;  // nothing: none that the asker may look up
  bool has_children = false;             // such a one is below, at any depth
};

struct NewMailbox {
  MailboxName name;
  MailboxId id;  // made by the caller (random_mailbox_id), whose directory exists already
  std::string partition = "default";
  Acl acl = {};
  std::string special_use = {};
};

struct Renamed {
  MailboxEntry before;
  MailboxEntry after;
};

enum class Resource : std::uint8_t {
  storage,
  message,
  mailbox,
  annotation_storage
};  // RFC 9208 §5

struct QuotaResource {
  Resource resource = Resource::storage;
  std::uint64_t usage = 0;  // storage: bytes here (KiB on the wire, RFC 9208 §5.1)
  std::optional<std::uint64_t> limit;
};

struct QuotaRoot {
  MailboxName root;
  std::vector<QuotaResource> resources;
};

/// What a mailbox holds, absolute, as of `modseq`; older reports are ignored.
struct Usage {
  MailboxId mailbox;
  ModSeq modseq;
  std::uint64_t bytes = 0;
  std::uint64_t messages = 0;
  std::int64_t due = 0;  // seconds UTC when the cleaner has next to look at it; 0: never
};

/// Space set aside until release() or the loss of this connection; id 0: nothing was reserved
/// because no quota applies.
struct Reservation {
  std::uint64_t id = 0;
};

struct UserRecord {
  UserName name;
  UserId id;
  std::string partition;
  std::uint64_t generation =
      0;  // grows when password, rights or state change: ends parked sessions
  std::int64_t created = 0;
};

/// A mailbox that the list doesn't name and whose directory may be on the disk: it was deleted, or
/// is being made, or never was.
struct Unlisted {
  MailboxId id;
  std::string partition;
  std::int64_t since = 0;  // seconds UTC
};

/// A user's export (user.json) that is older than the metadata.
struct DueExport {
  std::string key;            // for export_done(), and to go on after it
  std::uint64_t version = 0;  // of the change that it misses
  UserRecord user;            // no name: the user is gone; an id too: with a file in `partition`
};

/// Remembered keys with an end of life: duplicate suppression, vacation, Sieve "duplicate".
enum class MarkKind : std::uint8_t { delivery, vacation, sieve_duplicate, submission };
struct Mark {
  MarkKind kind = MarkKind::delivery;
  std::string owner;  // mailbox id in hex, or user name
  std::string key;    // opaque, at most 512 octets
};

/// An annotation's name is "/private/…" or "/shared/…", in lower case; private ones have a user
/// (RFC 5464).
struct Annotation {
  MailboxName mailbox;  // empty: the server
  UserName user;        // empty: shared
  std::string entry;
  std::string value;  // any octets, perhaps none
};
struct AnnotationChange {
  UserName user;  // empty: shared
  std::string entry;
  std::optional<std::string> value;  // nothing removes
};

/// A message that is out of the way until its time (draft-ietf-extra-sieve-snooze). It is noted
/// before the message is stored, so the message may not be there yet, or never come.
struct Snoozed {
  std::int64_t until = 0;  // seconds UTC
  MailboxId mailbox;       // where it sleeps
  Guid guid;
  std::int64_t since = 0;  // seconds UTC
  UserName user;           // who reads the names below
  std::string target;      // where it goes then: a client's name, UTF-8
  bool create = false;
  std::string mailbox_id;   // of the target, or ""; preferred
  std::string special_use;  // of the target, or ""; preferred
  std::vector<std::string> add_flags;
  std::vector<std::string> remove_flags;
};

class Meta {
 public:
  virtual ~Meta() = default;

  // Mailboxes list.
  /// @error no_such_mailbox
  virtual Result<MailboxEntry> lookup(const MailboxName& name) = 0;
  virtual Result<MailboxEntry> lookup(const MailboxId& id) = 0;
  /// In the order of names.
  virtual Result<std::vector<ListedMailbox>> list(const ListScope& scope) = 0;
  /// Only those with a special use.
  virtual Result<std::vector<ListedMailbox>> list_special(const ListScope& scope) = 0;
  /// As list() would have them, one for each of `names`; has_children only if `children`. Costs
  /// what the names do, whatever else is in the list.
  virtual Result<std::vector<LookedUp>> look_up(const Identity& who,
                                                const std::vector<MailboxName>& names,
                                                bool children) = 0;
  /// @error mailbox_exists, over_quota (MAILBOX resource)
  virtual Result<MailboxEntry> create(const NewMailbox& fresh) = 0;
  /// The directory is removed later by the store's cleaner.
  /// @error no_such_mailbox
  virtual Result<MailboxEntry> erase(const MailboxName& name) = 0;
  /// The mailbox and all inferiors, in one step; subscriptions of the owner move along. With
  /// `inbox`, `from` is a user's INBOX: only its messages' mailbox takes the name `to`, and a new,
  /// empty INBOX with that id takes its place (RFC 3501 §6.3.5); it is the last of the result, with
  /// an empty `before`. A whole user's tree ("user/anna" to "user/eve" without `inbox`) takes the
  /// user's record, subscriptions and own ACL lines along.
  /// @error no_such_mailbox, mailbox_exists (any target name), over_quota
  /// @error not_supported  `to` is below `from`
  virtual Result<std::vector<Renamed>> rename_tree(const MailboxName& from, const MailboxName& to,
                                                   const std::optional<NewMailbox>& inbox = {}) = 0;
  /// Empty rights remove the line. Gives the entry after the change.
  virtual Result<MailboxEntry> set_acl(const MailboxName& name, std::string_view identifier,
                                       Rights rights) = 0;
  virtual Result<MailboxEntry> set_special_use(const MailboxName& name, std::string_view uses) = 0;
  /// Puts back an entry found in a header; the higher version wins (rebuild-list).
  virtual Result<MailboxEntry> restore(const MailboxEntry& entry) = 0;
  /// A number that changes whenever the list, an ACL or a subscription that `user` can see may
  /// have changed.
  virtual Result<std::uint64_t> list_counter(const UserName& user) = 0;

  // Outbox: entries whose header copy on disk is older than the list.
  virtual Result<std::vector<MailboxEntry>> outbox(std::size_t most) = 0;
  virtual Result<void> outbox_done(const MailboxId& id, std::uint64_t version) = 0;

  // Directories without a mailbox: what the nightly work removes.
  /// Before the directory of a mailbox is made: unless create() follows, it is unlisted.
  virtual Result<void> announce(const MailboxId& id, std::string_view partition) = 0;
  /// Those since `before` or longer with an id above `after`, in the order of ids. erase() makes
  /// them so, create() and restore() end it.
  virtual Result<std::vector<Unlisted>> unlisted(std::int64_t before, const MailboxId& after,
                                                 std::size_t most) = 0;
  virtual Result<void> unlisted_done(const MailboxId& id) = 0;

  // Subscriptions are names; they survive DELETE (RFC 3501 §6.3.9). `name` is the client's name in
  // the user's namespace, UTF-8.
  virtual Result<void> subscribe(const UserName& user, std::string_view name) = 0;
  virtual Result<void> unsubscribe(const UserName& user, std::string_view name) = 0;
  virtual Result<std::vector<std::string>> subscriptions(const UserName& user) = 0;

  // Quota (RFC 9208).
  /// Sets exactly these limits on `root`, creating the root; no resources: removes the root.
  virtual Result<QuotaRoot> set_quota(const MailboxName& root,
                                      const std::vector<QuotaResource>& limits) = 0;
  /// The nearest root at or above `mailbox`, with usage; nothing where none is.
  virtual Result<std::optional<QuotaRoot>> quota_root_of(const MailboxName& mailbox) = 0;
  /// @error no_such_object
  virtual Result<QuotaRoot> quota(const MailboxName& root) = 0;
  virtual Result<std::vector<QuotaRoot>> quotas() = 0;
  /// Those at and below `root`.
  virtual Result<std::vector<QuotaRoot>> quotas_within(const MailboxName& root) = 0;
  /// @error over_quota  `bytes` and `messages` more would pass a limit
  virtual Result<Reservation> reserve(const MailboxId& mailbox, std::uint64_t bytes,
                                      std::uint64_t messages) = 0;
  virtual void release(Reservation reservation) = 0;
  /// Absolute and idempotent; may be lost, repeated or late. Also releases `reservation`. Through
  /// metad it is sent and not waited for.
  virtual Result<void> report(const Usage& usage, Reservation reservation = {}) = 0;
  /// Mailboxes whose reported `due` is at or before `now`, the earliest first.
  virtual Result<std::vector<MailboxId>> due(std::int64_t now, std::size_t most) = 0;

  // Users.
  /// The record, made if `create`. @error no_such_user
  virtual Result<UserRecord> user(const UserName& name, bool create) = 0;
  virtual Result<std::vector<UserRecord>> users() = 0;
  virtual Result<UserRecord> bump_generation(const UserName& name) = 0;
  /// Puts back a record found in the spool, with its id: it names the directory of the user's
  /// scripts. One that is there stays as it is. Gives the record in force.
  virtual Result<UserRecord> restore_user(const UserRecord& found) = 0;
  virtual Result<void> erase_user(const UserName& name) = 0;
  /// Users whose record, subscriptions, quota roots or annotations changed since export_done(),
  /// with a key above `after`.
  virtual Result<std::vector<DueExport>> due_exports(std::string_view after, std::size_t most) = 0;
  /// Unless it changed after `version`.
  virtual Result<void> export_done(std::string_view key, std::uint64_t version) = 0;

  // Marks. Look before, mark after the store's commit: a crash may repeat, never lose.
  /// The value given at the mark if it is there and hasn't expired.
  virtual Result<std::optional<std::string>> find_mark(const Mark& mark) = 0;
  /// Through metad it is sent and not waited for.
  virtual Result<void> set_mark(const Mark& mark, std::string_view value,
                                std::chrono::seconds life) = 0;

  // Annotations.
  /// All of `changes` or none; `mailbox` empty: the server. A mailbox and scope (shared, or one
  /// user's) has `most` annotations at most.
  /// @error no_such_mailbox, bad_syntax (a name over 1,000 octets)
  /// @error limit  there would be more than `most`
  /// @error over_quota (ANNOTATION-STORAGE)
  virtual Result<void> set_annotations(const MailboxName& mailbox,
                                       const std::vector<AnnotationChange>& changes,
                                       std::uint32_t most) = 0;
  /// All of `mailbox` (empty: the server) that are shared or `user`'s.
  virtual Result<std::vector<Annotation>> annotations(const MailboxName& mailbox,
                                                      const UserName& user) = 0;

  // Snoozed messages. (until, mailbox, guid) is what names one.
  virtual Result<void> set_snoozed(const Snoozed& message) = 0;
  virtual Result<void> end_snoozed(const Snoozed& message) = 0;
  /// Those whose time is at or before `now`, the earliest first.
  virtual Result<std::vector<Snoozed>> snoozed(std::int64_t now, std::uint32_t most) = 0;

  /// A hot backup of all tables into `directory` of the server's host; opens like any home.
  virtual Result<void> backup(const std::string& directory) = 0;
};

}  // namespace postern::meta
