// Surrogates of internationalized messages (RFC 6858).
#include "lib/mime/downgrade.h"

#include <gtest/gtest.h>

#include "lib/base/text.h"
#include "lib/mime/encoded_word.h"
#include "lib/mime/parameters.h"
#include "tests/unit/mime/support.h"

namespace postern::mime {
namespace {

constexpr std::string_view kInvalid = "<invalid@internationalized-address.invalid>";

std::string surrogate_of(std::string_view bytes) {
  const auto edits = downgrade(parse(bytes));
  std::string out;
  for (const std::string_view piece : pieces(bytes, {0, bytes.size()}, edits)) out += piece;
  return out;
}

/// One field, given and taken without its line end.
std::string field(std::string_view text) {
  const std::string rest =
      "\r\nSubject: x\r\n\r\nb\xC3\xB6"
      "dy\r\n";
  std::string out = surrogate_of(std::string(text) + rest);
  EXPECT_TRUE(out.ends_with(rest.substr(2))) << out;
  out.resize(out.size() - (rest.size() - 2));
  return out.ends_with("\r\n") ? out.substr(0, out.size() - 2) : out;
}

TEST(Downgrade, AsciiIsNotTouched) {
  const std::string bytes = "From: a@b\r\nSubject: =?utf-8?Q?=C3=BC?=\r\n\r\n\xC3\xBC\r\n";
  EXPECT_TRUE(downgrade(parse(bytes)).empty());
  EXPECT_EQ(surrogate_of(bytes), bytes);
}

TEST(Downgrade, OldEightBitMailIsNotTouched) {
  EXPECT_EQ(field("Subject: gr\xFC\xDF"), "Subject: gr\xFC\xDF");
  EXPECT_EQ(field("From: M\xFCller <m@x>"), "From: M\xFCller <m@x>");
}

// RFC 6858 §2.1, with letters outside ASCII where its examples have capitals.
TEST(Downgrade, AnInternationalizedAddressReachesNobody) {
  EXPECT_EQ(
      field("From: Fred Foo <fred@EX\xC3\x84MPLE.com>"),
      "From: =?utf-8?Q?Fred_Foo_=3Cfred=40EX=C3=84MPLE=2Ecom=3E?=\r\n " + std::string(kInvalid));
  EXPECT_EQ(field("Reply-To: fr\xC3\xA9"
                  "d@x"),
            "Reply-To: =?utf-8?Q?fr=C3=A9d=40x?=\r\n " + std::string(kInvalid));
  EXPECT_EQ(field("To: M\xC3\xBCller"), "To: =?utf-8?Q?M=C3=BCller?= " + std::string(kInvalid));
}

TEST(Downgrade, NamesAreEncodedAndAsciiAddressesStay) {
  EXPECT_EQ(field("From: J\xC3\xBCrgen <j@x.org>"), "From: =?utf-8?Q?J=C3=BCrgen?= <j@x.org>");
  EXPECT_EQ(field("Cc: \"Doe, J.\" <j@x>, =?utf-8?Q?=C3=A4?= <a@x>, b@x (\xC3\xB6), root"),
            "Cc: \"Doe, J.\" <j@x>, =?utf-8?Q?=C3=A4?= <a@x>, =?utf-8?Q?=C3=B6?= <b@x>,\r\n root");
  EXPECT_EQ(field("To: Gr\xC3\xBC\xC3\x9F"
                  "e: a@x, B <b@x>;, \"c d\"@x"),
            "To: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=: a@x, B <b@x>;, \"c d\"@x");
  EXPECT_EQ(field("Bcc: leer\xC3\xA9:;"), "Bcc: =?utf-8?Q?leer=C3=A9?=:;");
  EXPECT_EQ(field("To: (\xC3\xA9)"), "");
}

TEST(Downgrade, TextIsEncodedAndFolded) {
  EXPECT_EQ(field("Subject: =?iso-8859-1?Q?=FC?= \xC3\xA4"), "Subject: =?utf-8?Q?=C3=BC_=C3=A4?=");
  EXPECT_EQ(field("X-Note:\r\n \xC3\xA4"), "X-Note: =?utf-8?Q?=C3=A4?=");
  std::string text;
  for (int i = 0; i < 40; ++i) text += "\xE2\x82\xAC uro";
  const std::string out = field("Subject: " + text);
  EXPECT_EQ(decode_header(out.substr(9)), text);
  for (const std::string_view line : split(out, '\n')) EXPECT_LE(trim(line).size(), 77U);
}

TEST(Downgrade, StructuredFieldsLoseCommentsOrGo) {
  EXPECT_EQ(field("Date: Mon, 1 Jan 2024 00:00:00 +0100 (Mitteleurop\xC3\xA4ische Zeit)"),
            "Date: Mon, 1 Jan 2024 00:00:00 +0100");
  EXPECT_EQ(field("Content-Transfer-Encoding: base64 (\xC3\xA4)"),
            "Content-Transfer-Encoding: base64");
  EXPECT_EQ(field("Message-ID: <\xC3\xA4@x>"), "");
  EXPECT_EQ(field("Received: from x by y for <\xC3\xA4@x>; Mon, 1 Jan 2024 00:00:00 +0100"), "");
  EXPECT_EQ(field("Date: (\xC3\xA4)"), "");
}

TEST(Downgrade, NamesOfFilesStay) {
  EXPECT_EQ(field("Content-Disposition: attachment; filename=\"\xC3\xBC x.pdf\"; size=3"),
            "Content-Disposition: attachment; filename*=utf-8''%C3%BC%20x.pdf; size=3");
  EXPECT_EQ(field("Content-Disposition: attachment; \xC3\xBC=foo"),
            "Content-Disposition: attachment");
  EXPECT_EQ(field("Content-Disposition: filename=\xC3\xBC.pdf"),
            "Content-Disposition: attachment; filename*=utf-8''%C3%BC.pdf");
  EXPECT_EQ(
      field("Content-Type: Text/Plain; name*=iso-8859-1''%FC; charset=\"utf-8\"; x=\"\xC3\xBC\""),
      "Content-Type: text/plain; name*=iso-8859-1''%FC; charset=utf-8;\r\n x*=utf-8''%C3%BC");
  EXPECT_EQ(field("Content-Type: \xC3\xBC/plain"), "Content-Type: text/plain");
  const std::string long_name = std::string(600, 'x') + "\xC3\xBC" + std::string(300, 'y');
  EXPECT_EQ(field("Content-Disposition: inline; filename=" + long_name),
            "Content-Disposition: inline");
}

TEST(Downgrade, LinesThatAreNoFieldKeepTheirText) {
  EXPECT_EQ(field("Sch\xC3\xB6n"), "=?utf-8?Q?Sch=C3=B6n?=");
  EXPECT_EQ(field("From \xC3\xB6@x Mon"), "From =?utf-8?Q?=C3=B6=40x_Mon?=");
  EXPECT_EQ(decode_header(field("\xC3\x9C"
                                "ber: x")),
            "\xC3\x9C"
            "ber: x");
}

TEST(Downgrade, PartsAndMessagesInside) {
  const std::string bytes = testing::crlf(
      "Content-Type: multipart/mixed; boundary=\"a b\"; x=\xC3\xA4\n\n"
      "--a b\nContent-Type: message/rfc822\n\n"
      "Subject: \xC3\xBC\nFrom: a@b\n\n\xC3\xBC\n"
      "--a b\nMessage-ID: <\xC3\xBC@x>\n\nsecond\n"
      "--a b\nContent-Disposition: attachment; filename=\xC3\xBC\n--a b--\n");
  EXPECT_EQ(surrogate_of(bytes),
            testing::crlf("Content-Type: multipart/mixed; boundary=\"a b\"; x*=utf-8''%C3%A4\n\n"
                          "--a b\nContent-Type: message/rfc822\n\n"
                          "Subject: =?utf-8?Q?=C3=BC?=\nFrom: a@b\n\n\xC3\xBC\n"
                          "--a b\n\nsecond\n"
                          "--a b\nContent-Disposition: attachment; filename*=utf-8''%C3%BC\n"
                          "--a b--\n"));
}

TEST(Downgrade, AHostileHeaderDoesNotGrowWithoutEnd) {
  std::string list;
  while (list.size() < (200U << 10)) list += "\xC3\xA9@a,";
  std::string bytes = "Subject: x\r\n";
  for (int i = 0; i < 30; ++i) bytes += "To: " + list + "\r\n";
  const std::string out = surrogate_of(bytes + "Cc: " + list + list + "\r\n\r\n");
  EXPECT_TRUE(is_ascii(out));
  EXPECT_GT(out.size(), 4U << 20);
  EXPECT_LT(out.size(), 10U << 20);
}

TEST(Pieces, BorrowWhatIsNotEdited) {
  const std::string bytes = "A: 1\r\nB: 2\r\n\r\nbody";
  const std::vector<Edit> edits{{{6, 12}, ""}, {{0, 6}, "unused"}};
  const auto whole = pieces(bytes, {0, bytes.size()}, std::span(edits).first(1));
  ASSERT_EQ(whole.size(), 2U);
  EXPECT_EQ(whole[0].data(), bytes.data());
  EXPECT_EQ(whole[1], "\r\nbody");
  EXPECT_TRUE(pieces(bytes, {14, 18}, edits).size() == 1);
  EXPECT_TRUE(pieces(bytes, {4, 4}, {}).empty());
}

}  // namespace
}  // namespace postern::mime
