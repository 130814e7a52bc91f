#include "lib/base/text.h"

#include <gtest/gtest.h>

namespace postern {
namespace {

TEST(Text, NumbersAreDigitsOnlyAndInRange) {
  EXPECT_EQ(parse_u32("4294967295"), 4294967295U);
  EXPECT_EQ(parse_u32("4294967296"), std::nullopt);
  EXPECT_EQ(parse_u32("-1"), std::nullopt);
  EXPECT_EQ(parse_u32("+1"), std::nullopt);
  EXPECT_EQ(parse_u32("1 "), std::nullopt);
  EXPECT_EQ(parse_u32(""), std::nullopt);
}

TEST(Text, Base64FollowsTheExamplesOfRfc4648) {
  const std::pair<const char*, const char*> examples[] = {{"", ""},
                                                          {"f", "Zg=="},
                                                          {"fo", "Zm8="},
                                                          {"foo", "Zm9v"},
                                                          {"foob", "Zm9vYg=="},
                                                          {"fooba", "Zm9vYmE="},
                                                          {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : examples) {
    EXPECT_EQ(to_base64(plain), coded);
    EXPECT_EQ(from_base64(coded).value(), plain);
  }
}

TEST(Text, Base64RefusesWhatIsNotCanonical) {
  for (const char* bad : {"Z", "Zg", "Zg=", "Zg===", "Zh==", "Z===", "====", "Zm9=Zm9v", "Zm 9"})
    EXPECT_FALSE(from_base64(bad)) << bad;
}

TEST(Text, Utf8RefusesOverlongSurrogatesAndTruncation) {
  EXPECT_TRUE(is_utf8("gr\xc3\xbc\xc3\x9f \xf0\x9f\x93\xa8"));
  for (const char* bad :
       {"\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc3", "\xff"})
    EXPECT_FALSE(is_utf8(bad));
}

TEST(Text, ControlsAreFoundInUtf8) {
  EXPECT_FALSE(has_controls("gr\xc3\xbc\xc3\x9f \xc2\xa0 \xe2\x80\xa7"));
  for (const char* bad : {"a\tb", "\x7f", "\xc2\x80", "x\xc2\x9f", "\xe2\x80\xa8", "\xe2\x80\xa9"})
    EXPECT_TRUE(has_controls(bad));
}

TEST(Text, HexUndoesItself) {
  EXPECT_EQ(from_hex(to_hex("\x01\xfe\x80")).value(), "\x01\xfe\x80");
  EXPECT_FALSE(from_hex("abc"));
  EXPECT_FALSE(from_hex("zz"));
}

TEST(Text, SplitKeepsEmptyPieces) {
  EXPECT_EQ(split("a,,b", ','), (std::vector<std::string_view>{"a", "", "b"}));
  EXPECT_EQ(split("", ','), (std::vector<std::string_view>{""}));
}

}  // namespace
}  // namespace postern
