// Random valid scripts over real messages: no crash, no run past its limits, no lost mail. Every
// message of the folders gets a script of its own in each round. Prints what became of them.
//
// usage: sieve_random FOLDER [ROUNDS] [FIRST_SEED]
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "tests/unit/sieve/invariants.h"
#include "tests/unit/sieve/random_script.h"

namespace {

using namespace postern::sieve;
namespace fs = std::filesystem;

constexpr double kLongestSeconds = 5;  // of the processor; far more than a run of all steps takes

std::string present;  // what runs, for the one who looks for the cause of a crash

void tell_present(int) { std::fputs(present.c_str(), stderr); }

std::vector<fs::path> messages_in(const char* folder) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && entry.path().extension() == ".eml") out.push_back(entry.path());
  std::ranges::sort(out);
  return out;
}

// As a delivery brings it (CRLF), or as it may stand in a file.
std::string read(const fs::path& path, bool crlf) {
  std::ifstream in(path, std::ios::binary);
  const std::string octets{std::istreambuf_iterator<char>(in), {}};
  if (!crlf) return octets;
  std::string out;
  for (const char c : octets) {
    if (c == '\n' && !out.ends_with('\r')) out += '\r';
    out += c;
  }
  return out;
}

struct Tally {
  std::array<std::size_t, kFates> fates{};
  std::size_t runs = 0;
  double longest = 0;  // seconds
  std::string slowest;

  void run(const fs::path& path, std::size_t seed) {
    std::mt19937_64 random(seed);
    const auto script = random_script([&](std::size_t below) { return random() % below; });
    present = fmt::format("{}, seed {}:\n{}\n", path.string(), seed, script);
    const std::clock_t begin = std::clock();
    ++fates[static_cast<std::size_t>(run_and_check(script, read(path, seed % 2 == 1)))];
    const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    ++runs;
    if (seconds <= longest) return;
    longest = seconds;
    slowest = present;
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: sieve_random FOLDER [ROUNDS] [FIRST_SEED]\n");
    return 64;
  }
  const auto messages = messages_in(argv[1]);
  const int rounds = argc > 2 ? std::stoi(argv[2]) : 1;
  std::size_t seed = argc > 3 ? std::stoul(argv[3]) : 0;
  std::signal(SIGABRT, tell_present);
  Tally tally;
  for (int round = 0; round < rounds; ++round)
    for (const auto& path : messages) tally.run(path, seed++);
  constexpr std::array<const char*, kFates> kNames{"not compiled", "kept",   "sent on",
                                                   "dropped",      "failed", "over the step limit"};
  fmt::print("{} messages, {} scripts", messages.size(), tally.runs);
  for (std::size_t i = 0; i < kFates; ++i) fmt::print(", {} {}", tally.fates[i], kNames[i]);
  fmt::print("; the slowest two runs of one took {:.0f} ms\n", tally.longest * 1000);
  if (tally.longest > kLongestSeconds) fmt::print(stderr, "too long: {}", tally.slowest);
  // The generator must not have drifted away from the language.
  const bool valid = tally.fates[0] * 3 < tally.runs * 2;
  if (!valid) fmt::print(stderr, "too few of the scripts compile\n");
  return valid && tally.longest <= kLongestSeconds ? 0 : 1;
}
