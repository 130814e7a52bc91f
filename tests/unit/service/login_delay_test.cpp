#include "lib/service/login_delay.h"

#include <gtest/gtest.h>

#include <memory>

namespace postern::service {
namespace {

using std::chrono::milliseconds;

class LoginDelayTest : public testing::Test {
 protected:
  std::unique_ptr<LoginRow[]> rows_ = std::make_unique<LoginRow[]>(kLoginRows);
  LoginDelay delay_{{rows_.get(), kLoginRows}, milliseconds(500), milliseconds(3000)};
};

TEST_F(LoginDelayTest, DoublesUpToTheLimit) {
  for (const int expected : {500, 1000, 2000, 3000, 3000})
    EXPECT_EQ(delay_.failed("192.0.2.1", "anna"), milliseconds(expected));
}

TEST_F(LoginDelayTest, OthersAreNotDelayedForIt) {
  for (int i = 0; i < 5; ++i) static_cast<void>(delay_.failed("192.0.2.1", "anna"));
  EXPECT_EQ(delay_.failed("192.0.2.2", "anna"), milliseconds(500));
  EXPECT_EQ(delay_.failed("192.0.2.1", "bob"), milliseconds(500));
}

TEST_F(LoginDelayTest, SuccessForgets) {
  static_cast<void>(delay_.failed("192.0.2.1", "anna"));
  static_cast<void>(delay_.failed("192.0.2.1", "anna"));
  delay_.succeeded("192.0.2.1", "anna");
  EXPECT_EQ(delay_.failed("192.0.2.1", "anna"), milliseconds(500));
}

TEST_F(LoginDelayTest, TwoHundredThousandPairsNeverFillTheTable) {
  for (int i = 0; i < 200'000; ++i)
    EXPECT_EQ(delay_.failed(fmt::format("2001:db8::{:x}", i), "root"), milliseconds(500));
}

}  // namespace
}  // namespace postern::service
