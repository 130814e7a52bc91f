#include "master/metad/flusher.h"

#include <sysexits.h>
#include <unistd.h>

#include <chrono>

#include "lib/log/log.h"

namespace postern::metad {
namespace {

/// Commits that nobody waits for (usage, marks) are durable after this time.
constexpr std::chrono::seconds kLongest(1);

/// After a failed fsync nobody knows what is on the disk: a new start recovers what is.
void flush_or_end(db::Environment& env) {
  const auto flushed = env.flush_log();
  if (flushed) return;
  LOG(error, "meta.flush_failed", {"error", flushed.error().text});
  ::_exit(EX_IOERR);
}

void poke(int eventfd) {
  const std::uint64_t one = 1;
  // Full counter or not, the reader wakes.
  static_cast<void>(!::write(eventfd, &one, sizeof one));
}

}  // namespace

Flusher::Flusher(db::Environment& env, int done)
    : env_(env), done_(done), thread_([this] { run(); }) {}

Flusher::~Flusher() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Flusher::request(std::uint64_t batch) {
  {
    const std::lock_guard lock(mutex_);
    requested_ = batch;
  }
  wake_.notify_one();
}

std::uint64_t Flusher::flushed() {
  const std::lock_guard lock(mutex_);
  return flushed_;
}

void Flusher::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const auto until = std::chrono::steady_clock::now() + kLongest;
    while (!stopping_ && requested_ == flushed_ &&
           wake_.wait_until(lock, until) != std::cv_status::timeout) {
    }
    const std::uint64_t batch = requested_;
    lock.unlock();
    flush_or_end(env_);
    lock.lock();
    if (batch == flushed_) continue;
    flushed_ = batch;
    poke(done_);
  }
  lock.unlock();
  flush_or_end(env_);
}

}  // namespace postern::metad
