// Housekeeper: the thread for what takes long: checkpoints, old log files, hot backups.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "lib/db/environment.h"

namespace postern::metad {

struct HousekeeperOptions {
  std::chrono::milliseconds checkpoint_every{30'000};
  std::string log_archive;  // empty: old logs are removed
};

class Housekeeper {
 public:
  struct Backup {
    std::uint64_t connection = 0;  // who waits for it
    std::uint64_t sequence = 0;
    std::string directory;
    Result<void> result;
  };

  /// `done` (an eventfd) becomes readable when a backup has ended.
  Housekeeper(db::Environment& env, HousekeeperOptions options, int done);
  ~Housekeeper();  // waits for a backup under way

  void request(Backup backup);
  std::vector<Backup> take_done();

 private:
  void run();
  void checkpoint();

  db::Environment& env_;
  HousekeeperOptions options_;
  int done_event_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Backup> waiting_;
  std::vector<Backup> done_;
  bool stopping_ = false;
  std::thread thread_;  // last: runs when all else is there
};

}  // namespace postern::metad
