// Options, JSON, medians and threads for the load generators.
#include "tests/bench/load/load.h"

#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <thread>

namespace postern::bench {

void die(std::string_view text) {
  fmt::print(stderr, "bench_load: {}\n", text);
  std::exit(1);
}

Options::Options(int argc, char** argv) {
  for (int i = 0; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (!name.starts_with("--")) die(fmt::format("expected --option, got {}", name));
    values_[std::string{name.substr(2)}] = argv[i + 1];
  }
  if (argc % 2 != 0) die("an option lacks its value");
}

std::string Options::text(const std::string& name, std::string_view fallback) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::string{fallback} : found->second;
}

int Options::number(const std::string& name, int fallback) const {
  const auto found = values_.find(name);
  return found == values_.end() ? fallback : std::atoi(found->second.c_str());
}

Json& Json::add(std::string_view key, double value) {
  members_ += fmt::format("{}\"{}\": {:.6g}", members_.empty() ? "" : ", ", key, value);
  return *this;
}

Json& Json::add(std::string_view key, std::size_t value) {
  members_ += fmt::format("{}\"{}\": {}", members_.empty() ? "" : ", ", key, value);
  return *this;
}

Json& Json::add(std::string_view key, std::string_view value) {
  members_ += fmt::format("{}\"{}\": \"{}\"", members_.empty() ? "" : ", ", key, value);
  return *this;
}

void Json::print() const {
  fmt::print("{{{}}}\n", members_);
  std::fflush(stdout);
}

double percentile(std::vector<double> values, double p) {
  const auto last = static_cast<double>(values.size() - 1);
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(std::lround(p * last));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

void in_parallel(int count, const std::function<void(int)>& work) {
  std::vector<std::thread> threads;
  threads.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) threads.emplace_back(work, i);
  for (auto& thread : threads) thread.join();
}

void raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace postern::bench
