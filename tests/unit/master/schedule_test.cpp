#include "master/schedule.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

#include "master/child.h"

namespace postern::master {
namespace {

class Schedule : public testing::Test {
 protected:
  Schedule() {
    setenv("TZ", "Europe/Berlin", 1);
    tzset();
  }
  static std::int64_t at(int month, int day, int hour, int minute) {
    std::tm local{};
    local.tm_year = 126;
    local.tm_mon = month - 1;
    local.tm_mday = day;
    local.tm_hour = hour;
    local.tm_min = minute;
    local.tm_isdst = -1;
    return std::mktime(&local);
  }
};

TEST_F(Schedule, TodayOrTomorrow) {
  EXPECT_EQ(next_time_of_day({3, 30}, at(5, 1, 2, 0)), at(5, 1, 3, 30));
  EXPECT_EQ(next_time_of_day({3, 30}, at(5, 1, 3, 30)), at(5, 2, 3, 30));
  EXPECT_EQ(next_time_of_day({3, 30}, at(12, 31, 4, 0)), at(12, 31, 4, 0) + 84600);
}

TEST_F(Schedule, LocalTimeHoldsOverAChangeOfTheClock) {
  // On 2026-03-29 the night has 23 hours in Berlin.
  EXPECT_EQ(next_time_of_day({4, 0}, at(3, 28, 4, 0)), at(3, 29, 4, 0));
  EXPECT_EQ(at(3, 29, 4, 0) - at(3, 28, 4, 0), 23 * 3600);
}

TEST_F(Schedule, OnlyTimesOfDayAreTaken) {
  EXPECT_TRUE(TimeOfDay::parse("23:59"));
  for (const char* text : {"", "3", "24:00", "12:60", "12:", ":30", "-1:00", "12:30:00"})
    EXPECT_FALSE(TimeOfDay::parse(text)) << text;
}

TEST(Words, AreSeparatedBySpaces) {
  EXPECT_EQ(words_of("  a  b c ", "/nonexistent"), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(words_of("true x", "/bin"), (std::vector<std::string>{"/bin/true", "x"}));
  EXPECT_TRUE(words_of("", "/bin").empty());
}

}  // namespace
}  // namespace postern::master
