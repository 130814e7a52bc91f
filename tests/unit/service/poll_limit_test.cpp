#include "lib/service/poll_limit.h"

#include <gtest/gtest.h>

#include <memory>

namespace postern::service {
namespace {

using std::chrono::seconds;

class PollLimitTest : public testing::Test {
 protected:
  std::unique_ptr<std::array<PollRow, 64>> rows_ = std::make_unique<std::array<PollRow, 64>>();
};

TEST_F(PollLimitTest, ABurstIsFreeThenOneComesEachInterval) {
  PollLimit limit(*rows_, seconds{60}, 3);
  std::int64_t now = 1'700'000'000;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limit.come("anna", now), seconds{0});
  EXPECT_EQ(limit.come("anna", now), seconds{60});
  EXPECT_EQ(limit.come("anna", now + 59), seconds{1});
  EXPECT_EQ(limit.come("anna", now + 60), seconds{0});
  EXPECT_EQ(limit.come("anna", now + 60), seconds{60});
}

TEST_F(PollLimitTest, AVisitThatWasTooEarlyCostsNothing) {
  PollLimit limit(*rows_, seconds{60}, 1);
  EXPECT_EQ(limit.come("anna", 1000), seconds{0});
  for (int i = 0; i < 100; ++i) EXPECT_GT(limit.come("anna", 1030), seconds{0});
  EXPECT_EQ(limit.come("anna", 1060), seconds{0});
}

TEST_F(PollLimitTest, OthersAndALimitOfNothingAreFree) {
  PollLimit limit(*rows_, seconds{60}, 1);
  EXPECT_EQ(limit.come("anna", 1000), seconds{0});
  EXPECT_EQ(limit.come("bob", 1000), seconds{0});
  PollLimit none(*rows_, seconds{0}, 1);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(none.come("carla", 1000), seconds{0});
}

}  // namespace
}  // namespace postern::service
