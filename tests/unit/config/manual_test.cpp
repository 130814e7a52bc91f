// doc/configuration.md is what the option table says. UPDATE_GOLDEN=1 in the environment rewrites
// it.
#include "lib/config/manual.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "lib/base/fd.h"

namespace postern::config {
namespace {

constexpr const char* kDocument = POSTERN_SOURCE_DIR "/doc/configuration.md";

TEST(ConfigManual, IsTheCommittedDocument) {
  if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(kDocument) << manual();
  EXPECT_EQ(read_file(kDocument).value(), manual()) << "UPDATE_GOLDEN=1 unit_config rewrites it";
}

}  // namespace
}  // namespace postern::config
