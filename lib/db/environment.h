// Berkeley DB as Postern uses it: one transactional environment, opened by one process at a time
// (metad, or a tool while the server is down), recovered at every open. Only environment.cpp and
// table.cpp see db_cxx.h; nothing here throws.
//
// Commits are not synced one by one: flush_log() makes everything that was committed before it
// durable at once, and may run in another thread than the transactions.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "lib/base/result.h"

class DbEnv;
class DbTxn;

namespace postern::db {

struct EnvironmentOptions {
  std::string home;  // made with mode 0700 if it isn't there
  std::uint64_t cache_bytes = 64ULL << 20;
};

/// Undoes everything unless committed.
class [[nodiscard]] Transaction {
 public:
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  /// Visible to everybody from here; durable after the next flush_log().
  Result<void> commit();
  void abort();
  [[nodiscard]] bool deadlocked() const { return deadlocked_; }

 private:
  friend class Environment;
  friend class Table;
  explicit Transaction(DbTxn* txn) : txn_(txn) {}
  DbTxn* txn_ = nullptr;
  bool deadlocked_ = false;  // set by the table operation that lost
};

class Environment {
 public:
  /// Recovers what an earlier end left. @error io, corrupt
  static Result<std::unique_ptr<Environment>> open(const EnvironmentOptions& options);
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment();  // all tables are closed before; ends with a checkpoint

  Result<Transaction> begin();
  /// Runs `body` in a transaction and commits it; a failed body leaves nothing behind. A deadlock
  /// repeats it, so it may run more than once. @error in_use  deadlocked again and again
  template <typename Body>
  auto transact(Body&& body) -> decltype(body(std::declval<Transaction&>())) {
    for (int attempt = 0;; ++attempt) {
      Transaction txn = TRY(begin());
      auto result = body(txn);
      if (txn.deadlocked()) {
        txn.abort();
        TRY(back_off(attempt));
        continue;
      }
      if (result) TRY(txn.commit());
      return result;
    }
  }

  // Housekeeping; each may run in a thread of its own.
  Result<void> flush_log();
  /// Shortens the next recovery. Nothing is done if nothing was committed since the last one.
  Result<void> checkpoint();
  /// Takes log files that recovery no longer needs out of the way: into `archive`, or away if it
  /// is empty. Files in `archive` and a backup restore any later state.
  Result<void> remove_old_logs(const std::string& archive);
  /// A hot backup into `target` (made if it isn't there); opens like any home.
  Result<void> backup(const std::string& target);

  [[nodiscard]] const std::string& home() const { return home_; }
  [[nodiscard]] DbEnv* handle() { return env_.get(); }

 private:
  explicit Environment(std::string home);
  Result<void> back_off(int attempt);

  std::string home_;
  std::unique_ptr<DbEnv> env_;
  bool open_ = false;
};

/// Berkeley DB's return value as an error; `what` names operation and object.
Error db_error(int code, std::string_view what);

}  // namespace postern::db
