// Dates of RFC 5322, old and broken ones.
#include "lib/mime/date_time.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace postern::mime {
namespace {

// In the one form that we write, or "".
std::string read(std::string_view value) {
  const auto when = parse_date_time(value);
  return when ? format_date_time(*when) : "";
}

TEST(DateTime, Rfc5322) {
  const auto when = parse_date_time("Fri, 21 Nov 1997 09:55:06 -0600");
  ASSERT_TRUE(when);
  EXPECT_EQ(when->utc_seconds, 880127706);
  EXPECT_EQ(when->zone_minutes, -360);
  EXPECT_EQ(read("21 Nov 97 09:55:06 GMT"), "Fri, 21 Nov 1997 09:55:06 +0000");
  EXPECT_EQ(read("Fri, 21 Nov 1997 09(comment):   55  :  06 -0600"),
            "Fri, 21 Nov 1997 09:55:06 -0600");
  EXPECT_EQ(read("Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n"
                 "               -0330 (Newfoundland Time)"),
            "Thu, 13 Feb 1969 23:32:00 -0330");
}

TEST(DateTime, ObsoleteYearsAndZones) {
  EXPECT_EQ(read("1 Jan 49 00:00 EST"), "Fri, 01 Jan 2049 00:00:00 -0500");
  EXPECT_EQ(read("1 Jan 50 00:00 PDT"), "Sun, 01 Jan 1950 00:00:00 -0700");
  EXPECT_EQ(read("1 Jan 103 00:00 UT"), "Wed, 01 Jan 2003 00:00:00 +0000");
  EXPECT_EQ(read("1 Jan 2003 00:00:00 A"), "Wed, 01 Jan 2003 00:00:00 -0000");
  EXPECT_EQ(read("1 Jan 2003 00:00:00 -0000"), "Wed, 01 Jan 2003 00:00:00 -0000");
  EXPECT_FALSE(parse_date_time("1 Jan 2003 00:00:00")->zone_known);
}

TEST(DateTime, WhatSoftwareWrites) {
  EXPECT_EQ(read("Sat Jan  5 12:34:56 2002"), "Sat, 05 Jan 2002 12:34:56 -0000");
  EXPECT_EQ(read("Mon, 20-Jan-2003 1:02:03 +0100"), "Mon, 20 Jan 2003 01:02:03 +0100");
  EXPECT_EQ(read("Monday, 20 January 2003 01:02:03 +01:00"), "Mon, 20 Jan 2003 01:02:03 +0100");
  EXPECT_EQ(read("31 Dec 2016 23:59:60 +0000"), "Sat, 31 Dec 2016 23:59:59 +0000");
}

TEST(DateTime, RefusesWhatIsNoDate) {
  for (const char* value :
       {"", "yesterday", "Mon,", "32 Jan 2002 00:00:00 GMT", "30 Feb 2002 00:00",
        "1 Foo 2002 00:00:00", "1 Jan 2002 24:00:00", "1 Jan 2002 00:60:00", "1 Jan 2002",
        "1 Jan 20022 00:00:00", "Jan 1 2002 00:00:00"})
    EXPECT_FALSE(parse_date_time(value)) << value;
}

TEST(DateTime, LocalDayIsTheDayAsWritten) {
  EXPECT_EQ(parse_date_time("2 Jan 1970 00:30 +0100")->local_day(), 1);
  EXPECT_EQ(parse_date_time("31 Dec 1969 23:30 -0100")->local_day(), -1);
}

RC_GTEST_PROP(DateTimeProperty, ParsingUndoesFormatting, ()) {
  DateTime when;
  when.utc_seconds = *rc::gen::inRange<std::int64_t>(-2'000'000'000, 200'000'000'000);
  when.zone_minutes = *rc::gen::inRange<std::int16_t>(-1439, 1440);
  RC_ASSERT(parse_date_time(format_date_time(when)) == when);
}

}  // namespace
}  // namespace postern::mime
