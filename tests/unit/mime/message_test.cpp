// The structure of messages: RFC 2046 §5.1 to the letter, and what broken mail becomes.
#include "lib/mime/message.h"

#include <gtest/gtest.h>

#include "tests/unit/mime/support.h"

namespace postern::mime {
namespace {

using testing::check_structure;
using testing::crlf;
using testing::tree;

// Parses and checks the invariants; keeps the octets alive.
struct Parsed {
  explicit Parsed(std::string text, const Limits& limits = {})
      : octets(std::move(text)), message(parse(octets, limits)) {
    EXPECT_EQ(check_structure(message), "") << octets;
  }
  [[nodiscard]] std::string_view body(std::size_t part) const {
    return message.text(message.parts.at(part).body);
  }
  [[nodiscard]] std::string_view header(std::size_t part) const {
    return message.text(message.parts.at(part).header);
  }
  std::string octets;
  Message message;
};

Parsed mixed(const std::string& body) {
  return Parsed(crlf("Content-Type: multipart/mixed; boundary=b\n\n" + body));
}

TEST(Message, PlainMessageIsOneTextPart) {
  const Parsed m(crlf("Subject: x\nFrom: a@b\n\none\ntwo\n"));
  EXPECT_EQ(tree(m.message), "text/plain");
  EXPECT_EQ(m.header(0), "Subject: x\r\nFrom: a@b\r\n\r\n");
  EXPECT_EQ(m.body(0), "one\r\ntwo\r\n");
  EXPECT_EQ(m.message.parts[0].body_lines, 2U);
  EXPECT_EQ(m.message.parts[0].header_lines, 3U);
  EXPECT_TRUE(m.message.parts[0].defaulted);
}

TEST(Message, NothingAtAllIsAMessage) {
  const Parsed m("");
  EXPECT_EQ(tree(m.message), "text/plain");
  EXPECT_TRUE(m.message.fields.empty());
}

TEST(Message, FieldsKeepTheirOffsets) {
  const Parsed m(crlf("Subject : a\n b\nX-Y:\nno field\n\n"));
  ASSERT_EQ(m.message.fields.size(), 3U);
  const Field& subject = m.message.fields[0];
  EXPECT_EQ(m.message.text(subject.name), "Subject");
  EXPECT_EQ(m.message.text(subject.value), " a\r\n b");
  EXPECT_EQ(m.message.text(subject.whole), "Subject : a\r\n b\r\n");
  EXPECT_EQ(subject.id, FieldId::subject);
  EXPECT_EQ(m.message.text(m.message.fields[1].value), "");
  EXPECT_TRUE(m.message.fields[2].name.empty());
  EXPECT_EQ(m.message.text(m.message.fields[2].value), "no field");
}

TEST(Message, FindsFieldsByName) {
  const Parsed m(crlf("X-A: 1\nx-a: 2\nTo: c@d\n\n"));
  const Part& root = m.message.parts[0];
  EXPECT_EQ(m.message.text(m.message.find(root, "x-A")->value), " 1");
  EXPECT_EQ(m.message.find_all(root, "X-A").size(), 2U);
  EXPECT_EQ(m.message.find(root, FieldId::cc), nullptr);
  EXPECT_NE(m.message.find(root, FieldId::to), nullptr);
}

TEST(Message, DelimiterOwnsTheLineEndBeforeIt) {
  const Parsed m =
      mixed("preamble\n--b\n\none\n--b\nContent-Type: text/html\n\ntwo\n\n--b--\nafter\n");
  EXPECT_EQ(tree(m.message), "multipart/mixed[text/plain text/html]");
  EXPECT_EQ(m.body(1), "one");
  EXPECT_EQ(m.message.parts[1].body_lines, 0U);
  EXPECT_EQ(m.body(2), "two\r\n");
  EXPECT_EQ(m.message.parts[2].body_lines, 1U);
  EXPECT_TRUE(m.body(0).ends_with("after\r\n"));
}

TEST(Message, BareLfLinesWorkTheSame) {
  const Parsed m("Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n");
  EXPECT_EQ(tree(m.message), "multipart/mixed[text/plain]");
  EXPECT_EQ(m.body(1), "one");
}

TEST(Message, EmptyPartsHaveEmptyBodies) {
  const Parsed m = mixed("--b\n--b\n\n--b\n\n\n--b\nContent-Type: text/html\n--b--\n");
  EXPECT_EQ(tree(m.message), "multipart/mixed[text/plain text/plain text/plain text/html]");
  for (std::size_t i = 1; i <= 4; ++i) EXPECT_EQ(m.body(i), "") << i;
  EXPECT_EQ(m.header(4), "Content-Type: text/html\r\n");
}

TEST(Message, MissingCloseDelimiterEndsWithTheMessage) {
  const Parsed m = mixed("--b\n\none\n--b\n\ntwo\n");
  EXPECT_EQ(tree(m.message), "multipart/mixed[text/plain text/plain]");
  EXPECT_EQ(m.body(2), "two\r\n");
}

TEST(Message, DelimiterWithPaddingAndPrefixMatch) {
  EXPECT_EQ(tree(mixed("--b \t\n\none\n--b--  \n").message), "multipart/mixed[text/plain]");
  // RFC 2046 §5.1.1: it is enough that the boundary stands at the start of the line.
  EXPECT_EQ(tree(mixed("--b\n\none\n--bcd\n\ntwo\n--b--\n").message),
            "multipart/mixed[text/plain text/plain]");
}

TEST(Message, DelimiterOnlyAtTheStartOfALine) {
  EXPECT_EQ(mixed("--b\n\nx--b\n --b\n--b--\n").body(1), "x--b\r\n --b");
}

std::string nested(const std::string& outer, const std::string& inner, const std::string& inside) {
  return crlf("Content-Type: multipart/mixed; boundary=\"" + outer + "\"\n\n--" + outer +
              "\nContent-Type: multipart/alternative; boundary=\"" + inner + "\"\n\n--" + inner +
              "\n\none\n" + inside + "--" + outer + "\n\nlast\n--" + outer + "--\n");
}

TEST(Message, OuterBoundaryEndsTheInnerMultipart) {
  const Parsed m(nested("out", "in", ""));
  EXPECT_EQ(tree(m.message), "multipart/mixed[multipart/alternative[text/plain] text/plain]");
  EXPECT_EQ(m.body(2), "one");
  EXPECT_EQ(m.body(3), "last");
}

TEST(Message, BoundariesThatArePrefixesOfEachOther) {
  const char* expected = "multipart/mixed[multipart/alternative[text/plain text/plain] text/plain]";
  EXPECT_EQ(tree(Parsed(nested("b", "bb", "--bb\n\ntwo\n--bb--\n")).message), expected);
  EXPECT_EQ(tree(Parsed(nested("bb", "b", "--b\n\ntwo\n--b--\n")).message), expected);
  // The inner one's delimiter in its own epilogue is text, though the outer one is its prefix.
  EXPECT_EQ(tree(Parsed(nested("b", "bb", "--bb\n\ntwo\n--bb--\n--bb\n")).message), expected);
}

TEST(Message, InnerMultipartWithTheBoundaryOfTheOuterOne) {
  EXPECT_EQ(tree(Parsed(nested("b", "b", "--b\n\ntwo\n--b--\n")).message),
            "multipart/mixed[multipart/alternative[text/plain text/plain] text/plain]");
}

TEST(Message, NestedMessageHasItsOwnHeaderAndEndsAtTheBoundary) {
  const Parsed m = mixed("--b\nContent-Type: message/rfc822\n\nSubject: in\n\ntext\n--b--\n");
  EXPECT_EQ(tree(m.message), "multipart/mixed[message/rfc822[text/plain]]");
  EXPECT_EQ(m.body(1), "Subject: in\r\n\r\ntext");
  EXPECT_EQ(m.header(2), "Subject: in\r\n\r\n");
  EXPECT_EQ(m.body(2), "text");
  EXPECT_EQ(m.message.parts[1].body_lines, 2U);
}

TEST(Message, BoundaryInANestedMessageHeaderEndsIt) {
  const Parsed m = mixed("--b\nContent-Type: message/rfc822\n\nSubject: in\n--b\n\nx\n--b--\n");
  EXPECT_EQ(tree(m.message), "multipart/mixed[message/rfc822[text/plain] text/plain]");
  EXPECT_EQ(m.header(2), "Subject: in\r\n");
  EXPECT_EQ(m.body(3), "x");
}

TEST(Message, DigestPartsAreMessagesByDefault) {
  const Parsed m(
      crlf("Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: 1\n\nx\n--b\n"
           "Content-Type: text/plain\n\ny\n--b--\n"));
  EXPECT_EQ(tree(m.message), "multipart/digest[message/rfc822[text/plain] text/plain]");
}

TEST(Message, EncodedMessageIsOctetsToSave) {
  const Parsed m(crlf(
      "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeA==\n"));
  EXPECT_EQ(tree(m.message), "application/octet-stream");
}

TEST(Message, BrokenContentTypesBecomeText) {
  for (const char* type : {"", "text", "text/", "/plain", "te xt/plain", ";charset=utf-8"}) {
    const Parsed m(crlf(std::string("Content-Type: ") + type + "\n\nx\n"));
    EXPECT_EQ(tree(m.message), "text/plain") << type;
    EXPECT_TRUE(m.message.parts[0].defaulted) << type;
  }
}

TEST(Message, MultipartWithoutPartsBecomesText) {
  EXPECT_EQ(tree(Parsed(crlf("Content-Type: multipart/mixed\n\n--b\n\nx\n--b--\n")).message),
            "text/plain");
  const Parsed m(crlf("Content-Type: multipart/mixed; boundary=b\n\nonly text\n"));
  EXPECT_EQ(tree(m.message), "text/plain");
  EXPECT_EQ(m.body(0), "only text\r\n");
}

TEST(Message, BodyPartWithoutAHeaderKeepsItsText) {
  const Parsed m = mixed("--b\nhello there\nworld\n\nmore\n--b--\n");
  EXPECT_EQ(m.body(1), "hello there\r\nworld\r\n\r\nmore");
}

TEST(Message, NulsBareCrsAndEightBitAreContent) {
  const Parsed m(std::string("Subject: a\0b\rc\xE9\r\n\r\nx\0\r\xFFy\r\n", 26));
  EXPECT_EQ(m.message.fields.size(), 1U);
  EXPECT_EQ(m.body(0), std::string_view("x\0\r\xFFy\r\n", 7));
  EXPECT_TRUE(m.message.eight_bit_header);
}

TEST(Message, DepthLimitMakesALeaf) {
  std::string text;
  for (int i = 0; i < 50; ++i) text += "Content-Type: message/rfc822\r\n\r\n";
  const Parsed m(text, Limits{.depth = 10});
  EXPECT_EQ(m.message.parts.size(), 11U);
  EXPECT_TRUE(m.message.parts.back().is("application", "octet-stream"));
  EXPECT_TRUE(m.message.limits_reached);
}

TEST(Message, PartLimitStopsListingParts) {
  std::string body;
  for (int i = 0; i < 50; ++i) body += "--b\n\nx\n";
  const Parsed m(crlf("Content-Type: multipart/mixed; boundary=b\n\n" + body), Limits{.parts = 10});
  EXPECT_EQ(m.message.parts.size(), 10U);
  EXPECT_TRUE(m.message.limits_reached);
  EXPECT_EQ(m.body(9), "x");
}

TEST(Message, FieldLimitKeepsTheHeaderWhole) {
  const Parsed m("a: 1\r\na: 2\r\na: 3\r\n\r\nbody", Limits{.fields = 2});
  EXPECT_EQ(m.message.fields.size(), 2U);
  EXPECT_EQ(m.body(0), "body");
}

TEST(Message, LongRunsOfLinesAreCountedExactly) {
  for (const std::size_t lines : {15U, 16U, 17U, 255U * 16, 255U * 16 + 1, 70'000U}) {
    const Parsed plain("\r\n" + std::string(lines, '\n'));
    EXPECT_EQ(plain.message.parts[0].body_lines, lines);
    const Parsed m = mixed("--b\n\n" + std::string(lines, '\n') + "--b--\n");
    EXPECT_EQ(m.message.parts[1].body_lines, lines - 1);
  }
}

TEST(Message, ScanHeaderStopsBehindTheEmptyLine) {
  const HeaderBlock block = scan_header("A: 1\r\nB: 2\r\n x\r\n\r\nbody: no\r\n");
  EXPECT_EQ(block.fields.size(), 2U);
  EXPECT_EQ(block.size, 18U);
}

}  // namespace
}  // namespace postern::mime
