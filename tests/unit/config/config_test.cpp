#include "lib/config/config.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "lib/config/value.h"

namespace postern::config {
namespace {

std::string error_of(std::string_view toml) {
  const auto config = Config::parse(toml, "x.toml");
  return config ? "" : config.error().text;
}

TEST(Config, DefaultsHoldWhereTheFileIsSilent) {
  const Config config = Config::parse("").value();
  EXPECT_EQ(config.size("store.stage_memory"), 65536U);
  EXPECT_EQ(config.duration("store.flush_interval"), std::chrono::seconds(1));
  EXPECT_EQ(config.text("log.target"), "syslog");
  EXPECT_TRUE(config.list("auth.admins").empty());
}

TEST(Config, EveryDefaultIsAValidValue) {
  for (const Option& option : options())
    EXPECT_TRUE(check_value(option, option.standard)) << option.name;
}

TEST(Config, OptionsAreSortedAndUnique) {
  EXPECT_TRUE(std::ranges::is_sorted(options(), std::ranges::less_equal{}, &Option::name));
}

TEST(Config, TheFileAndThenTheCommandLineDecide) {
  Config config = Config::parse("[store]\nflush_interval = \"250ms\"\n").value();
  EXPECT_EQ(config.duration("store.flush_interval").count(), 250);
  ASSERT_TRUE(config.set("store.flush_interval=2s"));
  EXPECT_EQ(config.duration("store.flush_interval").count(), 2000);
  ASSERT_TRUE(config.set("auth.admins=root, admin"));
  EXPECT_EQ(config.list("auth.admins"), (std::vector<std::string>{"root", "admin"}));
}

TEST(Config, UnknownKeysAreRefusedWithLineAndNearestName) {
  EXPECT_EQ(error_of("\n[store]\nflush_intervall = \"1s\"\n"),
            "x.toml:3: store.flush_intervall: unknown option 'store.flush_intervall' (did you mean "
            "'store.flush_interval'?)");
}

TEST(Config, BadValuesAreRefusedWithTheirLine) {
  EXPECT_TRUE(error_of("[store]\nflush_interval = \"soon\"\n").starts_with("x.toml:2: "));
  EXPECT_TRUE(error_of("[store]\nflush_interval = \"61s\"\n").ends_with("(0 to 60000)"));
  EXPECT_FALSE(error_of("[auth]\nadmins = \"root\"\n").empty());
  EXPECT_TRUE(error_of("x = = 1\n").starts_with("x.toml:1: "));
}

TEST(Config, NamesInPlaceOfAStarAreListed) {
  const Config config =
      Config::parse("[partition.fast]\npath = \"/a\"\n[partition.big]\npath = \"/b\"\n").value();
  EXPECT_EQ(config.names_under("partition"), (std::vector<std::string>{"big", "fast"}));
  EXPECT_EQ(config.text("partition.fast.path"), "/a");
}

}  // namespace
}  // namespace postern::config
