// Store: all mailboxes of the server's partitions. Creation and removal, opening, delivery, append,
// copy and move. Sessions and daemons of one process share one Store.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/change_board.h"
#include "lib/base/ids.h"
#include "lib/base/result.h"
#include "lib/config/config.h"
#include "lib/meta/meta.h"
#include "lib/store/mailbox.h"
#include "lib/store/types.h"

namespace postern::store {

/// A message being received: octets are added as they come; small ones stay in memory, over
/// `store.stage_memory` (64 KiB) they go to a t.<x> file of the partition. Dropped unless given to
/// deliver() or append(). GUID and size are computed on the way.
class Staged {
 public:
  Staged(Staged&&) noexcept;
  Staged& operator=(Staged&&) noexcept;
  ~Staged();
  /// @error io  (disk full): the message is lost, nothing else is
  Result<void> add(std::string_view bytes);
  [[nodiscard]] std::uint64_t size() const;
  /// All octets so far (mapped if they are in a file); valid until the next add().
  Result<std::string_view> bytes();

  struct Impl;

 private:
  friend class Store;
  friend struct StoreAccess;
  explicit Staged(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct AppendItem {
  Staged* message = nullptr;
  NamedFlags flags;
  std::int64_t internal_date = 0;  // seconds UTC
  std::int16_t internal_zone = 0;  // minutes east of UTC
};

/// One recipient's copy of a delivery.
struct DeliveryTarget {
  meta::MailboxEntry mailbox;
  NamedFlags flags;
};

/// What copy() does about messages that were expunged meanwhile.
enum class Gone : std::uint8_t { leave_out, refuse };

class Store {
 public:
  /// `meta` and `board` outlive the store. The board is bumped at every commit.
  static Result<std::unique_ptr<Store>> open(const config::Config& config, meta::Meta& meta,
                                             ChangeBoard& board);
  ~Store();

  // Mailboxes.
  /// Directory and header, then the list (state `creating` until then).
  /// @error mailbox_exists, over_quota, io
  Result<meta::MailboxEntry> create(const meta::MailboxName& name, const meta::Acl& acl,
                                    std::string_view special_use = {},
                                    std::string_view partition = {});
  /// Marks the index deleting under its lock, then takes the name off the list.
  Result<void> erase(const meta::MailboxEntry& entry);
  /// With all inferiors in one step; INBOX as RFC 3501 §6.3.5.
  Result<std::vector<meta::Renamed>> rename(const meta::MailboxName& from,
                                            const meta::MailboxName& to);
  /// Cheap: files are opened and mapped once and kept in a small cache of this process.
  /// @error mailbox_deleted, corrupt, io
  Result<std::shared_ptr<Mailbox>> open_mailbox(const meta::MailboxEntry& entry);
  /// Of a mailbox that isn't open: one look at its index, which stays closed.
  /// @error mailbox_deleted, corrupt, io
  Result<MailboxStatus> status(const meta::MailboxEntry& entry);

  // Messages in.
  Staged stage();
  /// One message to many mailboxes: written once, linked, one fsync; durable on return. Each
  /// target succeeds or fails by itself.
  std::vector<Result<Appended>> deliver(Staged& message, std::int64_t internal_date,
                                        std::span<const DeliveryTarget> targets);
  /// All items or none (RFC 3502); durable on return.
  /// @error mailbox_deleted, over_quota, io
  Result<std::vector<Appended>> append(const meta::MailboxEntry& mailbox,
                                       std::span<AppendItem> items);

  // Messages across. By link; flags as far as `carried` says, internal date and GUID are kept, save
  // date is new. Durable on return. Messages that are gone are left out, or copy() refuses.
  /// @error mailbox_deleted, over_quota, limit, io; expunged (with Gone::refuse; nothing was
  /// copied)
  Result<Copied> copy(Mailbox& source, std::span<const RecNo> records,
                      const meta::MailboxEntry& destination, const CarriedFlags& carried = {},
                      Gone gone = Gone::leave_out);
  Result<Copied> move(Mailbox& source, std::span<const RecNo> records,
                      const meta::MailboxEntry& destination, const CarriedFlags& carried = {});

  // Upkeep. None of these is needed for correctness.
  /// For the log records: the session on whose behalf changes are made from now on.
  void set_session(std::uint64_t session);
  /// On whose behalf mailboxes are opened from now on; nobody: of the owner or of the server
  /// itself. In mailboxes of others it has a \Seen of its own, unless store.shared_seen. Mailboxes
  /// that are open stay as they are until they are opened again.
  void set_reader(const meta::UserName& user);
  /// Makes flag changes of this process durable whose store.flush_interval has passed (all with
  /// `now`). Workers call it when a command has ended (a comparison when nothing is due), through
  /// rest() while they have no session, and with `now` before they exit. A killed worker's changes
  /// are flushed by the kernel within its own write-back interval (5 s of journal commit), or by
  /// the next worker that flushes the mailbox.
  void flush_due(bool now = false);
  /// For a worker without a session: what is due, and pages of caches go. Milliseconds until it
  /// wants to be called again; nothing: not before the next session.
  std::optional<std::int64_t> rest();
  /// Milliseconds until flush_due() has something to do; nothing when all is durable.
  [[nodiscard]] std::optional<std::int64_t> flush_in() const;
  /// Copies changed list entries into the headers. Gives how many.
  Result<std::size_t> drain_outbox(std::size_t most = 1000);
  /// Nightly work on one mailbox: unlinks files of messages expunged longer ago than
  /// store.expunge_keep, drops tombstones older than store.tombstone_keep, checkpoints the log, and
  /// sweeps t.* files. Also finishes or undoes an interrupted DELETE.
  Result<void> clean(const meta::MailboxEntry& entry);
  /// Removes the directory of a mailbox that isn't in the list; none is no error. Once begun it can
  /// be done to the end by another call.
  Result<void> remove_directory(const MailboxId& mailbox, std::string_view partition);
  /// The directory of a mailbox, for tools and log lines.
  [[nodiscard]] Result<std::string> directory_of(const MailboxId& mailbox,
                                                 std::string_view partition) const;
  /// Closes all mailboxes that nobody holds.
  void drop_cache();

  struct Impl;

 private:
  friend struct StoreAccess;
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace postern::store
