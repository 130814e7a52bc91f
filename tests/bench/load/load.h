// What all load generators share: options, the clock, medians, and the one JSON line that each
// prints. A load generator that meets an unexpected answer ends with a message: no figure is
// better than a wrong one.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace postern::bench {

/// Ends the program with `text` on stderr.
[[noreturn]] void die(std::string_view text);

/// `--name value` pairs of the command line.
class Options {
 public:
  Options(int argc, char** argv);
  [[nodiscard]] std::string text(const std::string& name, std::string_view fallback) const;
  [[nodiscard]] int number(const std::string& name, int fallback) const;

 private:
  std::map<std::string, std::string> values_;
};

/// Collects `"key": value` and prints them as one JSON object on one line.
class Json {
 public:
  Json& add(std::string_view key, double value);
  Json& add(std::string_view key, std::size_t value);
  Json& add(std::string_view key, std::string_view value);
  void print() const;

 private:
  std::string members_;
};

/// Seconds since its making.
class Stopwatch {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// The value below which the share `p` (0..1) of `values` lies; `values` must not be empty.
double percentile(std::vector<double> values, double p);

/// Runs `work(0)` … `work(count - 1)` at the same time, one thread each; returns when all are done.
void in_parallel(int count, const std::function<void(int)>& work);

/// One kind of load: the word that selects it and what runs it.
struct Case {
  std::string_view name;
  void (*run)(const Options&);
};

/// Lets this process have as many descriptors as the system allows.
void raise_descriptor_limit();

void run_crowd(const Options& options);
void run_loris(const Options& options);
void run_lmtp(const Options& options);
void run_fill(const Options& options);
void run_fetch(const Options& options);
void run_select(const Options& options);
void run_sessions(const Options& options);
void run_changes(const Options& options);
void run_single_stores(const Options& options);
void run_idle(const Options& options);
void run_pop3(const Options& options);
void run_list(const Options& options);
void run_singles(const Options& options);
void run_appends(const Options& options);
void run_tls_reference(const Options& options);

}  // namespace postern::bench
