#include "master/porter/timers.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "master/porter/watches.h"

namespace postern::porter {
namespace {

TEST(Timers, TheEarliestWishOfASlotCounts) {
  Timers timers;
  timers.set(1, 1000);
  timers.set(1, 500);
  timers.set(1, 2000);
  timers.set(2, 0);
  std::uint32_t slot = 0;
  EXPECT_EQ(timers.wait(100, 1000), 400);
  EXPECT_FALSE(timers.take_due(499, slot));
  ASSERT_TRUE(timers.take_due(500, slot));
  EXPECT_EQ(slot, 1U);
  EXPECT_FALSE(timers.take_due(5000, slot));  // the later ones went with it
  timers.set(1, 600);
  EXPECT_TRUE(timers.take_due(600, slot));
}

TEST(Timers, ParkingAgainAndAgainAddsNothing) {
  Timers timers;
  for (std::int64_t now = 0; now < 1'000'000; ++now) timers.set(3, now + 1'800'000);
  std::uint32_t slot = 0;
  int due = 0;
  while (timers.take_due(1'800'000, slot)) ++due;
  EXPECT_EQ(due, 1);
  EXPECT_EQ(timers.wait(0, 1000), 1000);
}

TEST(Timers, TidyKeepsWhatIsStillWanted) {
  Timers timers;
  for (std::uint32_t slot = 0; slot < 100; ++slot) timers.set(slot, 1000 + slot);
  timers.set(3, 500);
  timers.tidy(10, [](std::uint32_t slot) { return slot != 4; });
  std::vector<std::uint32_t> due;
  for (std::uint32_t slot = 0; timers.take_due(5000, slot);) due.push_back(slot);
  EXPECT_EQ(due, (std::vector<std::uint32_t>{3, 0, 1, 2, 5, 6, 7, 8, 9}));
  timers.set(50, 10);  // a row above the former top is used again
  timers.set(4, 20);
  EXPECT_EQ(timers.wait(0, 1000), 10);
}

std::vector<std::uint32_t> watchers(const Watches& watches, std::uint32_t slot) {
  std::vector<std::uint32_t> out;
  watches.for_each(slot, [&](std::uint32_t session) { out.push_back(session); });
  std::ranges::sort(out);
  return out;
}

TEST(Watches, EachSlotKnowsItsSessions) {
  Watches watches;
  watches.add(1, {{10, 0}, {11, 0}});
  watches.add(2, {{10, 5}});
  watches.add(3, {});
  EXPECT_EQ(watchers(watches, 10), (std::vector<std::uint32_t>{1, 2}));
  EXPECT_EQ(watches.of(2).front().seen, 5U);
  watches.remove(1);
  watches.remove(1);
  watches.remove(3);
  EXPECT_EQ(watchers(watches, 10), std::vector<std::uint32_t>{2});
  EXPECT_TRUE(watchers(watches, 11).empty());
  EXPECT_TRUE(watches.of(100).empty());
  watches.tidy(3);
  EXPECT_EQ(watchers(watches, 10), std::vector<std::uint32_t>{2});
  watches.add(100, {{10, 0}});
  EXPECT_EQ(watchers(watches, 10), (std::vector<std::uint32_t>{2, 100}));
}

}  // namespace
}  // namespace postern::porter
