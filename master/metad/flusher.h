// Flusher: the thread that makes commits durable. Replies that promise durability are numbered in
// batches; one flush of the log serves every batch that was asked for before it began.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "lib/base/fd.h"
#include "lib/db/environment.h"

namespace postern::metad {

class Flusher {
 public:
  /// `done` (an eventfd) becomes readable when flushed() has grown.
  Flusher(db::Environment& env, int done);
  ~Flusher();  // flushes what is left

  /// Everything committed so far belongs to `batch` (ascending) or an earlier one.
  void request(std::uint64_t batch);
  /// The last batch that is durable.
  [[nodiscard]] std::uint64_t flushed();

 private:
  void run();

  db::Environment& env_;
  int done_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::uint64_t requested_ = 0;
  std::uint64_t flushed_ = 0;
  bool stopping_ = false;
  std::thread thread_;  // last: runs when all else is there
};

}  // namespace postern::metad
