#include "master/metad/housekeeper.h"

#include <unistd.h>

#include "lib/log/log.h"

namespace postern::metad {

Housekeeper::Housekeeper(db::Environment& env, HousekeeperOptions options, int done)
    : env_(env), options_(std::move(options)), done_event_(done), thread_([this] { run(); }) {}

Housekeeper::~Housekeeper() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Housekeeper::request(Backup backup) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(backup));
  }
  wake_.notify_one();
}

std::vector<Housekeeper::Backup> Housekeeper::take_done() {
  const std::lock_guard lock(mutex_);
  return std::exchange(done_, {});
}

void Housekeeper::checkpoint() {
  auto result = env_.checkpoint();
  if (result) result = env_.remove_old_logs(options_.log_archive);
  if (!result) LOG(error, "meta.checkpoint_failed", {"error", result.error().text});
}

void Housekeeper::run() {
  std::unique_lock lock(mutex_);
  auto next = std::chrono::steady_clock::now() + options_.checkpoint_every;
  while (!stopping_) {
    if (!waiting_.empty()) {
      Backup backup = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      backup.result = env_.backup(backup.directory);
      lock.lock();
      done_.push_back(std::move(backup));
      const std::uint64_t one = 1;
      static_cast<void>(!::write(done_event_, &one, sizeof one));
    } else if (std::chrono::steady_clock::now() >= next) {
      lock.unlock();
      checkpoint();
      lock.lock();
      next = std::chrono::steady_clock::now() + options_.checkpoint_every;
    } else {
      wake_.wait_until(lock, next);
    }
  }
}

}  // namespace postern::metad
