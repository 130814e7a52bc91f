#include "imapd/grammar.h"

#include <gtest/gtest.h>

#include "imapd/name_codec.h"

namespace postern::imap {
namespace {

template <typename T>
std::string bad(const Result<T>& result) {
  return result ? "" : result.error().text;
}

Result<std::string> astring(std::string_view text) {
  Cursor in(text);
  auto value = parse_astring(in);
  if (value && !in.at_end()) return fail(Errc::bad_syntax, "left: {}", in.rest());
  return value;
}

TEST(Grammar, AstringTakesAtomsQuotedStringsAndLiterals) {
  EXPECT_EQ(*astring("abc]"), "abc]");
  EXPECT_EQ(*astring("\"a \\\"b\\\\\""), "a \"b\\");
  EXPECT_EQ(*astring("{5}\r\na b\r\n"), "a b\r\n");
  EXPECT_EQ(*astring("{3+}\r\nx{}"), "x{}");
  EXPECT_EQ(*astring("\"\""), "");
}

TEST(Grammar, AstringRefusesWhatIsNone) {
  for (const std::string_view text :
       {std::string_view(""), std::string_view("("), std::string_view("\"open"),
        std::string_view("\"a\\x\""), std::string_view("{5}\r\nab"), std::string_view("{5}ab"),
        std::string_view("{1}\r\n\0", 6), std::string_view("\"a\r\n\"")})
    EXPECT_FALSE(astring(text)) << text;
}

TEST(Grammar, ErrorsNameTheirPlace) {
  Cursor in("(a");
  EXPECT_EQ(bad(parse_astring(in)), "expected an atom or string at octet 1");
}

TEST(Grammar, NumbersHaveTheirRange) {
  const auto number = [](std::string_view text) {
    Cursor in(text);
    return parse_nz_number(in);
  };
  EXPECT_EQ(*number("4294967295"), 4294967295U);
  EXPECT_FALSE(number("4294967296"));
  EXPECT_FALSE(number("0"));
  EXPECT_FALSE(number("-1"));
  EXPECT_FALSE(number(""));
}

std::vector<NumberRange> resolved(std::string_view text, std::uint32_t highest) {
  Cursor in(text);
  const auto set = parse_sequence_set(in);
  EXPECT_TRUE(set && in.at_end()) << text;
  return set->resolved(highest);
}

using Ranges = std::vector<NumberRange>;

TEST(Grammar, SequenceSetsAreSortedAndJoined) {
  EXPECT_EQ(resolved("4:2,7,8,1", 10), (Ranges{{1, 4}, {7, 8}}));
  EXPECT_EQ(resolved("1:*", 10), (Ranges{{1, 10}}));
  EXPECT_EQ(resolved("*:5", 10), (Ranges{{5, 10}}));
  EXPECT_EQ(resolved("*", 10), (Ranges{{10, 10}}));
  EXPECT_EQ(resolved("15:*", 10), (Ranges{{10, 15}}));  // RFC 9051 §9: at least the last message
  EXPECT_EQ(resolved("4294967295:1", 10), (Ranges{{1, 4294967295U}}));
  EXPECT_EQ(resolved("1:*,*", 0), Ranges{});
}

TEST(Grammar, SequenceSetsRefuseZeroAndGaps) {
  for (const char* text : {"0", "1,", ",1", "1:", "a", "1:0"}) {
    Cursor in(text);
    const auto set = parse_sequence_set(in);
    EXPECT_FALSE(set && in.at_end()) << text;
  }
}

TEST(Grammar, FlagsAreSystemFlagsOrKeywords) {
  Cursor in("(\\Seen \\flagged $Junk work)");
  const auto flags = parse_flag_list(in);
  ASSERT_TRUE(flags);
  EXPECT_EQ(flags->system, store::flag::seen | store::flag::flagged);
  EXPECT_EQ(flags->keywords, (std::vector<std::string>{"$Junk", "work"}));
  Cursor recent("(\\Recent)");
  EXPECT_FALSE(parse_flag_list(recent));
  Cursor empty("()");
  EXPECT_TRUE(parse_flag_list(empty));
}

TEST(Grammar, DatesAndTimes) {
  Cursor in("\" 1-Feb-2024 00:30:00 +0130\"");
  const auto when = parse_date_time(in);
  ASSERT_TRUE(when) << when.error().text;
  EXPECT_EQ(when->utc_seconds, 1706742000);  // 2024-01-31 23:00:00 UTC
  EXPECT_EQ(when->zone_minutes, 90);
  EXPECT_EQ(std::string_view(format_date_time(when->utc_seconds, 90)),
            "\"01-Feb-2024 00:30:00 +0130\"");
  EXPECT_EQ(std::string_view(format_date_time(0, -480)), "\"31-Dec-1969 16:00:00 -0800\"");
  Cursor day("1-Jan-1970");
  EXPECT_EQ(*parse_date(day), 0);
  Cursor leap("\"29-Feb-2000\"");
  EXPECT_EQ(*parse_date(leap), 11016);
  Cursor no_leap("29-Feb-2001");
  EXPECT_FALSE(parse_date(no_leap));
}

TEST(Grammar, FindsTheLiteralAtTheEndOfALine) {
  EXPECT_EQ(literal_head_at_end("a APPEND x {12}")->size, 12U);
  EXPECT_TRUE(literal_head_at_end("{12}")->synchronizing);
  EXPECT_FALSE(literal_head_at_end("{12+}")->synchronizing);
  EXPECT_TRUE(literal_head_at_end("x ~{12}")->binary);
  EXPECT_FALSE(literal_head_at_end("{}"));
  EXPECT_FALSE(literal_head_at_end("{1a}"));
  EXPECT_FALSE(literal_head_at_end("{99999999999999999999}"));
  EXPECT_FALSE(literal_head_at_end("{12} "));
}

TEST(NameCodec, KnowsTheExamplesOfTheRfc) {  // RFC 3501 §5.1.3
  const std::string wire = "~peter/mail/&U,BTFw-/&ZeVnLIqe-";
  EXPECT_EQ(*from_modified_utf7(wire), "~peter/mail/台北/日本語");
  EXPECT_EQ(to_modified_utf7("~peter/mail/台北/日本語"), wire);
  EXPECT_EQ(*from_modified_utf7("a&-b"), "a&b");
  EXPECT_EQ(to_modified_utf7("Entwürfe & 😀"), "Entw&APw-rfe &- &2D3eAA-");
  EXPECT_EQ(*from_modified_utf7("&2D3eAA-"), "😀");
}

TEST(NameCodec, RefusesWhatIsNoModifiedUtf7) {
  for (const char* wire : {"&", "&U,BTFw", "&AGE-", "&2D0-", "&3gA-", "&U,BTF-", "&AP x-", "\x01"})
    EXPECT_FALSE(from_modified_utf7(wire)) << wire;
}

TEST(NameCodec, AnswersAreAtomsWhereTheyCanBe) {
  EXPECT_EQ(encode_name("INBOX", NameForm::modified_utf7), "INBOX");
  EXPECT_EQ(encode_name("Sent Items", NameForm::modified_utf7), "\"Sent Items\"");
  EXPECT_EQ(encode_name("a\"b", NameForm::utf8), "\"a\\\"b\"");
  EXPECT_EQ(encode_name("Entwürfe", NameForm::utf8), "\"Entwürfe\"");
  EXPECT_EQ(encode_name("nil", NameForm::utf8), "\"nil\"");
}

}  // namespace
}  // namespace postern::imap
