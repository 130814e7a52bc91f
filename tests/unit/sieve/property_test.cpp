// Random valid scripts over real messages: no crash, no hang, no lost mail.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "tests/unit/sieve/invariants.h"
#include "tests/unit/sieve/random_script.h"

namespace postern::sieve {
namespace {

std::vector<std::string> corpus() {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(MAIL_CORPUS)) {
    if (entry.path().extension() != ".eml") continue;
    std::ifstream in(entry.path(), std::ios::binary);
    out.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return out;
}

TEST(RandomScripts, NeverLoseMail) {
  const auto messages = corpus();
  ASSERT_FALSE(messages.empty());
  constexpr int kScripts = 5'000;
  int compiled = 0;
  for (unsigned seed = 0; seed < kScripts; ++seed) {
    std::mt19937 random(seed);
    const auto script =
        random_script([&](std::size_t below) -> std::size_t { return random() % below; });
    SCOPED_TRACE(script);
    if (run_and_check(script, messages[seed % messages.size()])) ++compiled;
  }
  // The generator must not have drifted away from the language.
  EXPECT_GT(compiled, kScripts / 3);
  RecordProperty("compiled", compiled);
}

}  // namespace
}  // namespace postern::sieve
