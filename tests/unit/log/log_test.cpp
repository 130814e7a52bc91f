#include "lib/log/log.h"

#include <gtest/gtest.h>

namespace postern::log {
namespace {

TEST(Log, ALineIsKeysAndValues) {
  EXPECT_EQ(line_of("mailbox.expunge", {{"user", "anna"}, {"uids", 3}}),
            "event=mailbox.expunge user=anna uids=3");
}

TEST(Log, ValuesThatCouldForgeALineAreQuoted) {
  EXPECT_EQ(line_of("x", {{"user", "a b"}}), "event=x user=\"a b\"");
  EXPECT_EQ(line_of("x", {{"user", "a\nevent=y \"q\""}}),
            "event=x user=\"a\\x0aevent=y \\\"q\\\"\"");
  EXPECT_EQ(line_of("x", {{"user", "\xff"}}), "event=x user=\"\\xff\"");
  EXPECT_EQ(line_of("x", {{"user", ""}}), "event=x user=\"\"");
}

TEST(Log, ALongLineIsCut) {
  EXPECT_EQ(line_of("x", {{"user", std::string(10000, 'a')}}).size(), 4096U);
}

}  // namespace
}  // namespace postern::log
