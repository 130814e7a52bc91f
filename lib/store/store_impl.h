// What a Store holds. Internal to lib/store.
#pragma once

#include <map>
#include <unordered_map>
#include <unordered_set>

#include "lib/store/intake.h"
#include "lib/store/mailbox_impl.h"
#include "lib/store/spool.h"
#include "lib/store/store.h"

namespace postern::store {

struct Store::Impl {
  explicit Impl(meta::Meta& client) : meta(client) {}

  meta::Meta& meta;
  Shared shared;
  std::map<std::string, std::string, std::less<>> partitions;  // name to path
  std::unordered_map<MailboxId, std::shared_ptr<Mailbox>> open;
  bool shared_seen = false;
  meta::UserName reader;
  std::optional<UserId> reader_id;      // once it was needed
  std::unordered_set<MailboxId> blank;  // had nothing but a header when peek() looked

  [[nodiscard]] Result<std::string> directory(const MailboxId& id,
                                              std::string_view partition) const;
  /// Opens it whatever its mode is.
  Result<std::shared_ptr<Mailbox>> open_any(Store& store, const meta::MailboxEntry& entry);
  /// The state of a mailbox that isn't open, if it is to be had without opening it.
  [[nodiscard]] Result<std::optional<State>> peek(const meta::MailboxEntry& entry);
  /// The reader's id if it has a \Seen of its own in this mailbox.
  [[nodiscard]] Result<std::optional<UserId>> own_reader_of(const meta::MailboxEntry& entry);
  std::uint64_t new_txn() { return ++shared.next_txn; }
  /// Finishes or drops moves away whose process died. May open other mailboxes.
  Result<void> resolve_moves(Store& store, Mailbox& mailbox);
};

struct Staged::Impl {
  Shared* shared = nullptr;
  std::string directory;  // for a staging file
  std::string memory;
  Fd file;
  std::string path;
  std::uint64_t size = 0;
  char* map = nullptr;
  std::uint64_t mapped = 0;
  ~Impl();
};

struct StoreAccess {
  static Store::Impl& impl(Store& store) { return *store.impl_; }
  static Staged::Impl& impl(Staged& staged) { return *staged.impl_; }
};

}  // namespace postern::store
