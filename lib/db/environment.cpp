#include "lib/db/environment.h"

#include <db_cxx.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "lib/base/fd.h"
#include "lib/log/log.h"

namespace postern::db {
namespace {

constexpr int kMostAttempts = 20;
// Out of locks or lockers is a panic of the whole environment: room for a transaction that renames
// a tree of 10,000 mailboxes. The regions grow to this only when used.
constexpr std::string_view kDbConfig =
    "set_lk_max_locks 200000\n"
    "set_lk_max_lockers 40000\n"
    "set_lk_max_objects 200000\n"
    // Else the table of objects has two places for each of them: 32 MB that are all written at
    // once.
    "set_lk_tablesize 4096\n"
    "set_tx_max 4000\n"
    // More are made when needed; else one for each page that the cache could hold: 4 MB.
    "mutex_set_init 2000\n"
    "mutex_set_max 400000\n"
    "set_lg_bsize 1048576\n"
    "set_lg_max 33554432\n"
    "set_lk_detect DB_LOCK_MINWRITE\n";

void on_message(const DbEnv*, const char*, const char* text) {
  LOG(warning, "db.message", {"text", text});
}

Result<void> make_home(const std::string& home) {
  std::error_code error;
  std::filesystem::create_directories(home, error);
  if (error) return fail(Errc::io, "mkdir {}: {}", home, error.message());
  ::chmod(home.c_str(), 0700);
  const std::string config = home + "/DB_CONFIG";
  if (::access(config.c_str(), F_OK) == 0) return {};
  return replace_file(config, kDbConfig);
}

}  // namespace

Error db_error(int code, std::string_view what) {
  const bool damaged = code == DB_RUNRECOVERY || code == DB_PAGE_NOTFOUND ||
                       code == DB_VERIFY_BAD || code == DB_CHKSUM_FAIL;
  return fail(damaged ? Errc::corrupt : Errc::io, "{}: {}", what, DbEnv::strerror(code));
}

Transaction::Transaction(Transaction&& other) noexcept
    : txn_(std::exchange(other.txn_, nullptr)), deadlocked_(other.deadlocked_) {}

Transaction::~Transaction() { abort(); }

Result<void> Transaction::commit() {
  const int code = std::exchange(txn_, nullptr)->commit(DB_TXN_NOSYNC);
  if (code != 0) return db_error(code, "commit");
  return {};
}

void Transaction::abort() {
  if (txn_) std::exchange(txn_, nullptr)->abort();
}

Environment::Environment(std::string home)
    : home_(std::move(home)), env_(std::make_unique<DbEnv>(DB_CXX_NO_EXCEPTIONS)) {}

Result<std::unique_ptr<Environment>> Environment::open(const EnvironmentOptions& options) {
  TRY(make_home(options.home));
  std::unique_ptr<Environment> self(new Environment(options.home));
  DbEnv& env = *self->env_;
  env.set_errcall(on_message);
  const auto giga = static_cast<std::uint32_t>(options.cache_bytes >> 30);
  const auto rest = static_cast<std::uint32_t>(options.cache_bytes & ((1U << 30) - 1));
  env.set_cachesize(giga, rest, 1);
  env.set_flags(DB_TXN_NOSYNC, 1);
  // DB_PRIVATE: regions in our own memory. Nobody else can attach, so nobody's death can leave
  // locks behind; what a killed process leaves is only the log, and DB_RECOVER reads that.
  constexpr std::uint32_t kFlags = DB_CREATE | DB_INIT_MPOOL | DB_INIT_LOG | DB_INIT_LOCK |
                                   DB_INIT_TXN | DB_RECOVER | DB_PRIVATE | DB_THREAD;
  const int code = env.open(options.home.c_str(), kFlags, 0600);
  if (code != 0) return db_error(code, "open environment " + options.home);
  self->open_ = true;
  return self;
}

Environment::~Environment() {
  if (open_) static_cast<void>(checkpoint());
  env_->close(0);
}

Result<Transaction> Environment::begin() {
  DbTxn* txn = nullptr;
  const int code = env_->txn_begin(nullptr, &txn, DB_TXN_NOSYNC);
  if (code != 0) return db_error(code, "begin");
  return Transaction(txn);
}

Result<void> Environment::back_off(int attempt) {
  if (attempt == kMostAttempts) return fail(Errc::in_use, "deadlocked {} times", attempt);
  thread_local std::minstd_rand random(static_cast<std::uint32_t>(::gettid()));
  ::usleep(static_cast<useconds_t>(random() % (100U << std::min(attempt, 7))));
  return {};
}

Result<void> Environment::flush_log() {
  const int code = env_->log_flush(nullptr);
  if (code != 0) return db_error(code, "flush log");
  return {};
}

Result<void> Environment::checkpoint() {
  const int code = env_->txn_checkpoint(0, 0, 0);
  if (code != 0) return db_error(code, "checkpoint");
  return {};
}

Result<void> Environment::remove_old_logs(const std::string& archive) {
  char** list = nullptr;
  const int code = env_->log_archive(&list, archive.empty() ? DB_ARCH_REMOVE : DB_ARCH_ABS);
  if (code != 0) return db_error(code, "archive logs");
  const std::unique_ptr<char*, decltype(&std::free)> owned(list, &std::free);
  if (archive.empty() || !list) return {};
  std::error_code error;
  std::filesystem::create_directories(archive, error);
  for (char** path = list; *path && !error; ++path) {
    const auto target = archive / std::filesystem::path(*path).filename();
    std::filesystem::rename(*path, target, error);
  }
  if (error) return fail(Errc::io, "archive logs into {}: {}", archive, error.message());
  return {};
}

Result<void> Environment::backup(const std::string& target) {
  TRY(checkpoint());
  const int code = env_->backup(target.c_str(), DB_CREATE | DB_BACKUP_CLEAN);
  if (code != 0) return db_error(code, "backup into " + target);
  std::error_code error;
  std::filesystem::copy_file(home_ + "/DB_CONFIG", target + "/DB_CONFIG",
                             std::filesystem::copy_options::overwrite_existing, error);
  if (error) return fail(Errc::io, "backup of DB_CONFIG: {}", error.message());
  return {};
}

}  // namespace postern::db
