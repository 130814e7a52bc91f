#include "lib/net/dot_stuffing.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace postern::net {
namespace {

struct Outcome {
  std::string text;
  std::size_t taken = 0;
  bool finished = false, false_end = false, nul = false, bare_lf = false;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

/// Feeds `wire` cut at the offsets that `next_cut` gives.
template <typename NextCut>
Outcome unstuff(std::string_view wire, NextCut next_cut) {
  DotUnstuffer dots;
  Outcome out;
  const Sink sink = [&out](std::string_view piece) -> Result<void> {
    EXPECT_FALSE(piece.empty());
    out.text.append(piece);
    return {};
  };
  while (out.taken < wire.size() && !dots.finished()) {
    const std::size_t piece = std::min<std::size_t>(next_cut(), wire.size() - out.taken);
    out.taken += dots.feed(wire.substr(out.taken, piece), sink).value();
  }
  out.finished = dots.finished();
  out.false_end = dots.saw_false_end();
  out.nul = dots.saw_nul();
  out.bare_lf = dots.saw_bare_lf();
  return out;
}

Outcome unstuff(std::string_view wire) {
  return unstuff(wire, [&] { return wire.size(); });
}

/// RFC 5321 §4.5.2, the client's side.
std::string stuffed(std::string_view text) {
  std::string out;
  bool line_start = true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (line_start && text[i] == '.') out += '.';
    out += text[i];
    line_start = text[i] == '\n' && i > 0 && text[i - 1] == '\r';
  }
  return out + ".\r\n";
}

TEST(DotUnstuffer, TakesTheAddedDotsOutAndStopsBehindTheEnd) {
  const auto out = unstuff("..a\r\n.\x62\r\n...\r\n.\r\nNOOP\r\n");
  EXPECT_TRUE(out.finished);
  EXPECT_FALSE(out.false_end);
  EXPECT_EQ(out.text, ".a\r\nb\r\n..\r\n");
  EXPECT_EQ(out.taken, std::string("..a\r\n.b\r\n...\r\n.\r\n").size());
}

TEST(DotUnstuffer, EmptyTextIsOneLineOfADot) {
  const auto out = unstuff(".\r\n");
  EXPECT_TRUE(out.finished);
  EXPECT_EQ(out.text, "");
}

TEST(DotUnstuffer, DotsInsideALineAreText) {
  EXPECT_EQ(unstuff("a.\r\na..b\r\n.\r\n").text, "a.\r\na..b\r\n");
}

TEST(DotUnstuffer, BareLfBecomesCrlf) {
  const auto out = unstuff("a\nb\r\n\nc\r\n.\r\n");
  EXPECT_EQ(out.text, "a\r\nb\r\n\r\nc\r\n");
  EXPECT_TRUE(out.bare_lf);
  EXPECT_FALSE(out.false_end);
}

TEST(DotUnstuffer, BareCrStays) { EXPECT_EQ(unstuff("a\rb\r\r\n.\r\n").text, "a\rb\r\r\n"); }

TEST(DotUnstuffer, EachFalseEndIsSeenAndEndsNothing) {
  for (const std::string_view trick :
       {"a\n.\nb", "a\n.\r\nb", "a\r\n.\nb", "a\r.\rb", "a\r.\r\nb", "a\r\n.\rb", "a\n.\rb",
        "a\r.\nb", "a\r\n.\r\r\nb", "\r\r\n.\n"}) {
    const std::string wire = std::string(trick) + "\r\n.\r\n";
    const auto out = unstuff(wire);
    EXPECT_TRUE(out.finished) << wire;
    EXPECT_TRUE(out.false_end) << wire;
    EXPECT_EQ(out.taken, wire.size()) << wire;
  }
}

TEST(DotUnstuffer, DotsNearOddLineEndsAreNoFalseEnds) {
  for (const std::string_view text : {"a\n.b\r\n", "a\r.b\r\n", "a.\nb\r\n", "a\n..\r\n"})
    EXPECT_FALSE(unstuff(std::string(text) + ".\r\n").false_end) << text;
}

TEST(DotUnstuffer, NulIsSeen) {
  EXPECT_TRUE(unstuff(std::string_view("a\0b\r\n.\r\n", 8)).nul);
  EXPECT_FALSE(unstuff("ab\r\n.\r\n").nul);
}

TEST(DotUnstuffer, ErrorsOfTheSinkStopIt) {
  DotUnstuffer dots;
  const auto out = dots.feed(
      "abc\r\n", [](std::string_view) -> Result<void> { return fail(Errc::io, "disk full"); });
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().code, Errc::io);
}

std::string random_text(std::mt19937& random, const std::string& alphabet) {
  std::string text;
  for (std::size_t n = random() % 60; n > 0; --n) text += alphabet[random() % alphabet.size()];
  return text;
}

TEST(DotUnstufferProperty, UndoesStuffingHoweverThePacketsAreCut) {
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (std::size_t lines = random() % 6; lines > 0; --lines)
      text += random_text(random, "..ab") + "\r\n";
    const std::string wire = stuffed(text) + "QUIT\r\n";
    const auto out = unstuff(wire, [&random] { return 1 + random() % 7; });
    ASSERT_EQ(out.text, text);
    ASSERT_EQ(out.taken, wire.size() - 6);
    ASSERT_TRUE(out.finished && !out.false_end && !out.bare_lf);
  }
}

TEST(DotUnstufferProperty, CutsNeverChangeTheOutcome) {
  std::mt19937 random(2);
  for (int round = 0; round < 50'000; ++round) {
    const std::string wire = random_text(random, std::string("..\r\r\n\na\0", 8)) + "\r\n.\r\n";
    const auto whole = unstuff(wire);
    ASSERT_TRUE(whole.finished);
    ASSERT_EQ(whole, unstuff(wire, [] { return 1U; })) << testing::PrintToString(wire);
    ASSERT_EQ(whole, unstuff(wire, [&random] { return 1 + random() % 9; }));
  }
}

TEST(LineEndsProperty, GivesCrlfEverywhereAndKeepsTheRest) {
  std::mt19937 random(3);
  for (int round = 0; round < 20'000; ++round) {
    const std::string text = random_text(random, "\r\nab");
    std::string expected;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) expected += '\r';
      expected += text[i];
    }
    LineEnds ends;
    std::string got;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t piece = 1 + random() % 5;
      ASSERT_TRUE(ends.feed(std::string_view(text).substr(at, piece), [&](std::string_view out) {
        got.append(out);
        return Result<void>();
      }));
      at += piece;
    }
    ASSERT_EQ(got, expected);
  }
}

}  // namespace
}  // namespace postern::net
