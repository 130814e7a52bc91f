#include "lib/base/program_pages.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace postern {
namespace {

/// Pages of files that this process has mapped and read, in KiB.
long resident_file_pages() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == "RssFile:") {
      long kib = 0;
      status >> kib;
      return kib;
    }
  return -1;
}

TEST(ProgramPages, GoAndComeBackUnchanged) {
  const long before = resident_file_pages();
  let_go_of_program_pages();
  const long after = resident_file_pages();
  EXPECT_GT(after, 0);
  EXPECT_LT(after, before / 2);
  // What was relocated at the start (RELRO) is still there: virtual calls, functions of libraries.
  EXPECT_EQ(std::to_string(before), testing::PrintToString(before));
}

}  // namespace
}  // namespace postern
