// Intake: how messages enter one mailbox. Uids and records are reserved under the lock, the files
// are written without it, and the messages are published under it again, in uid order.
// doc/locking.md, "Delivery". Internal to lib/store.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "lib/store/keyword_plan.h"
#include "lib/store/mailbox_impl.h"

namespace postern::store {

class Intake {
 public:
  /// @param txn  names the prepare record to come; 0: each file is adopted by itself after a crash
  /// @error mailbox_deleted, in_use, io
  static Result<Intake> reserve(MailboxFiles& files, std::uint32_t count, std::uint64_t txn = 0);
  Intake(Intake&& other) noexcept;
  Intake& operator=(Intake&& other) noexcept;
  ~Intake();  // gives up what isn't published

  [[nodiscard]] std::uint32_t uid(std::size_t i) const {
    return first_uid_ + static_cast<std::uint32_t>(i);
  }
  [[nodiscard]] std::uint32_t count() const { return count_; }

  /// The \Seen that the messages come with is that of `reader` alone.
  void read_by(const std::optional<UserId>& reader) { reader_ = reader; }

  using CacheOf = std::function<std::string_view(std::size_t)>;  // the cache record of row i
  using FlagsOf = std::function<Result<void>(KeywordPlan&, std::span<Row>)>;
  /// Writes rows and cache records behind the published ones. With a txn also the prepare record,
  /// durable on return: from here on a crash leaves all of them or none. Uids are filled in.
  Result<void> write(std::vector<Row> rows, const CacheOf& cache_of, const FlagsOf& flags_of);
  /// When the files are durable: publishes, after all lower uids. Gives the modseq.
  Result<ModSeq> publish();
  [[nodiscard]] const State& after() const { return after_; }

 private:
  explicit Intake(MailboxFiles& files) : files_(&files) {}
  UidReservation* slot();
  void give_up();
  void forget();
  void split_seen(std::span<Row> rows);
  Result<void> add_own_seen(Change& change);

  MailboxFiles* files_;
  std::uint32_t first_uid_ = 0, first_record_ = 0, count_ = 0;
  std::uint64_t txn_ = 0;
  State after_;  // as published
  std::optional<UserId> reader_;
  SeenPayload own_seen_;  // until it is in the log
};

/// Publishes all that is ready and burns what dead processes left, in uid order, and commits. Gives
/// the lowest uid that somebody is still busy with, 0 if none.
Result<std::uint32_t> publish_ready(MailboxFiles& files, Change& change);

}  // namespace postern::store
