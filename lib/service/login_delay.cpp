#include "lib/service/login_delay.h"

#include <algorithm>
#include <functional>
#include <string>

#include "lib/base/clock.h"

namespace postern::service {
namespace {

constexpr std::uint32_t kForgetAfter = 600;  // seconds
constexpr std::uint64_t kMostCount = 255;

/// A row as its three parts: 32 bits of key, 24 of seconds (wrapping), 8 of count.
struct Entry {
  std::uint32_t key;
  std::uint32_t at;
  std::uint64_t count;

  static Entry unpack(std::uint64_t word) {
    return {static_cast<std::uint32_t>(word >> 32),
            static_cast<std::uint32_t>(word >> 8) & 0xffffff, word & 0xff};
  }
  [[nodiscard]] std::uint64_t pack() const {
    return std::uint64_t{key} << 32 | std::uint64_t{at} << 8 | count;
  }
};

std::uint64_t hash_of(std::string_view address, std::string_view user) {
  std::string both(address);
  both += '\0';
  both += user;
  return std::hash<std::string>{}(both);  // the same in all processes of one build
}

std::uint32_t now_seconds() {
  return static_cast<std::uint32_t>(steady_millis() / 1000) & 0xffffff;
}

}  // namespace

std::chrono::milliseconds LoginDelay::failed(std::string_view address, std::string_view user) {
  const std::uint64_t hash = hash_of(address, user);
  LoginRow& row = rows_[hash % rows_.size()];
  const auto key = static_cast<std::uint32_t>(hash >> 32);
  const std::uint32_t now = now_seconds();
  std::uint64_t word = row.load();
  Entry next{};
  do {
    const Entry old = Entry::unpack(word);
    const bool goes_on = old.key == key && ((now - old.at) & 0xffffff) < kForgetAfter;
    next = {key, now, goes_on ? std::min(old.count + 1, kMostCount) : 1};
  } while (!row.compare_exchange_weak(word, next.pack()));
  const auto doubled = first_ * (std::int64_t{1} << std::min<std::uint64_t>(next.count - 1, 20));
  return std::min<std::chrono::milliseconds>(doubled, most_);
}

void LoginDelay::succeeded(std::string_view address, std::string_view user) {
  const std::uint64_t hash = hash_of(address, user);
  LoginRow& row = rows_[hash % rows_.size()];
  std::uint64_t word = row.load();
  if (Entry::unpack(word).key == static_cast<std::uint32_t>(hash >> 32))
    row.compare_exchange_strong(word, 0);
}

}  // namespace postern::service
