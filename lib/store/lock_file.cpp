#include "lib/store/lock_file.h"

#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "lib/base/assert.h"
#include "lib/base/clock.h"
#include "lib/store/fs.h"

namespace postern::store {
namespace {

struct flock range(short type, std::uint64_t first, std::uint64_t count) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>(first);
  lock.l_len = static_cast<off_t>(count);
  return lock;
}

// A timer of this thread whose signal interrupts a blocking lock call. It repeats, because the
// first signal may come just before the call begins.
class Interrupter {
 public:
  explicit Interrupter(std::int64_t limit_ms) {
    struct sigaction action {};
    action.sa_handler = [](int) {};
    sigaction(kSignal, &action, nullptr);  // without SA_RESTART
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = kSignal;
    event._sigev_un._tid = gettid();
    armed_ = timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0;
    const itimerspec when{{0, 20'000'000}, {limit_ms / 1000, limit_ms % 1000 * 1'000'000 + 1}};
    if (armed_) timer_settime(timer_, 0, &when, nullptr);
  }
  Interrupter(const Interrupter&) = delete;
  Interrupter& operator=(const Interrupter&) = delete;
  ~Interrupter() {
    if (armed_) timer_delete(timer_);
  }
  [[nodiscard]] bool armed() const { return armed_; }

 private:
  static inline const int kSignal = SIGRTMIN + 5;
  timer_t timer_{};
  bool armed_ = false;
};

/// 0, or errno; EINTR after the limit.
int wait_for(int fd, struct flock lock, std::int64_t limit_ms) {
  if (fcntl(fd, F_OFD_SETLK, &lock) == 0) return 0;
  if (errno != EAGAIN && errno != EACCES) return errno;
  if (limit_ms <= 0) return EINTR;
  const std::int64_t deadline = steady_millis() + limit_ms;
  const Interrupter interrupter(limit_ms);
  if (!interrupter.armed()) return EINTR;
  for (;;) {
    if (fcntl(fd, F_OFD_SETLKW, &lock) == 0) return 0;
    if (errno != EINTR) return errno;
    if (steady_millis() >= deadline) return EINTR;
  }
}

}  // namespace

Result<LockFile> LockFile::open(const std::string& path) {
  LockFile lock;
  lock.fd_ = TRY(fs().open(path, O_RDWR | O_CREAT));
  lock.path_ = path;
  const std::uint64_t size = TRY(fs().size_of(lock.fd_.get()));
  if (size < kNameSize) TRY(fs().write_at(lock.fd_.get(), 0, std::string(kNameSize, '\0')));
  lock.name_ = TRY(fs().map(lock.fd_.get(), 4096, true));
  return lock;
}

LockFile::LockFile(LockFile&& other) noexcept
    : fd_(std::move(other.fd_)),
      path_(std::move(other.path_)),
      name_(std::exchange(other.name_, nullptr)),
      held_(std::exchange(other.held_, false)) {}

LockFile& LockFile::operator=(LockFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  std::swap(name_, other.name_);
  std::swap(held_, other.held_);
  return *this;
}

LockFile::~LockFile() {
  if (name_ != nullptr) fs().unmap(name_, 4096);
}

Result<void> LockFile::acquire(std::string_view operation, std::uint64_t session,
                               std::int64_t limit_ms) {
  ASSERT(!held_);
  const int err = wait_for(fd_.get(), range(F_WRLCK, kMailbox, 1), limit_ms);
  if (err == EINTR) return fail(Errc::in_use, "{}: held by {}", path_, holder());
  if (err != 0) return errno_error("fcntl", path_, err);
  held_ = true;
  name_holder(operation, session);
  return {};
}

void LockFile::release() {
  if (!held_) return;
  held_ = false;
  drop(kMailbox);
}

Result<void> LockFile::take(std::uint64_t first, std::uint64_t count) {
  auto lock = range(F_WRLCK, first, count);
  if (fcntl(fd_.get(), F_OFD_SETLK, &lock) != 0) {
    if (errno == EAGAIN || errno == EACCES)
      return fail(Errc::in_use, "{}: byte {} is taken", path_, first);
    return errno_error("fcntl", path_);
  }
  return {};
}

void LockFile::drop(std::uint64_t first, std::uint64_t count) {
  auto lock = range(F_UNLCK, first, count);
  ASSERT(fcntl(fd_.get(), F_OFD_SETLK, &lock) == 0);
}

bool LockFile::is_taken(std::uint64_t byte) const {
  auto lock = range(F_WRLCK, byte, 1);
  return fcntl(fd_.get(), F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

Result<void> LockFile::await(std::uint64_t byte, std::int64_t limit_ms) {
  const int err = wait_for(fd_.get(), range(F_RDLCK, byte, 1), limit_ms);
  if (err == EINTR) return fail(Errc::in_use, "{}: byte {} is held too long", path_, byte);
  if (err != 0) return errno_error("fcntl", path_, err);
  drop(byte);
  return {};
}

void LockFile::name_holder(std::string_view operation, std::uint64_t session) {
  const auto end = fmt::format_to_n(name_, kNameSize - 1, "pid {} session {} {} since {}", getpid(),
                                    session, operation, wall_seconds());
  *end.out = '\0';
}

std::string LockFile::holder() const {
  std::string text(name_, strnlen(name_, kNameSize));
  std::ranges::replace_if(
      text, [](char c) { return c < ' ' || c > '~'; }, '?');
  return text.empty() ? "nobody known" : text;
}

}  // namespace postern::store
