// What the programs here share: messages in memory, and the time that work on them takes.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "lib/base/clock.h"

namespace postern::bench {

using Messages = std::vector<std::string>;

/// Every file below `folder`, with CRLF.
inline Messages load(const char* folder) {
  Messages messages;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    std::string crlf;
    for (auto c = std::istreambuf_iterator<char>(in); c != std::istreambuf_iterator<char>(); ++c) {
      if (*c == '\n' && (crlf.empty() || crlf.back() != '\r')) crlf += '\r';
      crlf += *c;
    }
    messages.push_back(std::move(crlf));
  }
  return messages;
}

/// `work` gives a number that depends on its result, so that none of it can be left out.
inline void measure(const char* name, const Messages& messages, int rounds,
                    const std::function<std::size_t(const std::string&)>& work) {
  std::size_t octets = 0;
  std::size_t sum = 0;
  std::int64_t best = INT64_MAX;
  for (const std::string& message : messages) octets += message.size();
  for (int round = 0; round < rounds; ++round) {
    const std::int64_t begin = steady_micros();
    for (const std::string& message : messages) sum += work(message);
    best = std::min(best, steady_micros() - begin);
  }
  const double seconds = static_cast<double>(best) / 1e6;
  fmt::print("{:<28} {:>10.0f} messages/s {:>8.0f} MB/s {:>8.2f} us/message  ({})\n", name,
             static_cast<double>(messages.size()) / seconds,
             static_cast<double>(octets) / 1e6 / seconds,
             seconds * 1e6 / static_cast<double>(messages.size()), sum);
}

}  // namespace postern::bench
