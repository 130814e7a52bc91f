// Encoded-words, charsets, transfer encodings, case mapping and search.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "lib/base/text.h"
#include "lib/mime/charset.h"
#include "lib/mime/encoded_word.h"
#include "lib/mime/find.h"
#include "lib/mime/transfer.h"

namespace postern::mime {
namespace {

std::string qp(std::string_view in) { return decode_transfer(Encoding::quoted_printable, in); }
std::string b64(std::string_view in) { return decode_transfer(Encoding::base64, in); }

// RFC 2047 §8
TEST(DecodeHeader, ExamplesOfTheRfc) {
  EXPECT_EQ(decode_header("=?ISO-8859-1?Q?Patrik_F=E4ltstr=F6m?= <paf@x>"),
            "Patrik F\xC3\xA4ltstr\xC3\xB6m <paf@x>");
  EXPECT_EQ(decode_header("(=?ISO-8859-1?Q?a?=)"), "(a)");
  EXPECT_EQ(decode_header("=?ISO-8859-1?Q?a?= b"), "a b");
  EXPECT_EQ(decode_header("=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?="), "ab");
  EXPECT_EQ(decode_header("=?ISO-8859-1?Q?a?=\r\n   =?ISO-8859-1?Q?b?="), "ab");
  EXPECT_EQ(decode_header("=?ISO-8859-1?Q?a_b?="), "a b");
  EXPECT_EQ(decode_header("=?ISO-8859-1?Q?a_?= =?ISO-8859-2?Q?b?="), "a b");
}

TEST(DecodeHeader, CharactersCutBetweenWordsAreJoined) {
  EXPECT_EQ(decode_header("=?utf-8?Q?=C3?= =?utf-8?Q?=BC?="), "\xC3\xBC");
  EXPECT_EQ(decode_header("=?utf-8?B?w7w=?= =?UTF-8?b?w7w?="), "\xC3\xBC\xC3\xBC");
}

TEST(DecodeHeader, BrokenWordsStay) {
  for (const char* text : {"=?", "=?utf-8", "=?utf-8?Q", "=?utf-8?Q?", "=?utf-8?Q?a",
                           "=?x-no?Q?a?=", "=?utf-8?X?a?=", "=??Q?a?=", "a =?= b"})
    EXPECT_EQ(decode_header(text), text);
  EXPECT_EQ(decode_header("=?utf-8?Q?\?="), "");
  EXPECT_EQ(decode_header("=?utf-8*en?Q?a b=?="), "a b=");
}

TEST(DecodeHeader, RawOctetsAreUtf8OrWindows1252) {
  EXPECT_EQ(decode_header("gr\xC3\xBC\xC3\x9F"), "gr\xC3\xBC\xC3\x9F");
  EXPECT_EQ(decode_header("\x80uro \xFC"), "\xE2\x82\xACuro \xC3\xBC");
}

TEST(DecodeHeader, ManyOpenWordsTakeLinearTime) {
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += "=?utf-8?q?x";
  EXPECT_TRUE(decode_header(text) == text);
}

TEST(EncodeHeaderText, PlainStaysAndWordsAreShort) {
  EXPECT_EQ(encode_header_text("Hello, world"), "Hello, world");
  EXPECT_EQ(encode_header_text("\xC3\xBC x"), "=?utf-8?Q?=C3=BC_x?=");
  EXPECT_NE(encode_header_text("=?not a word"), "=?not a word");
}

RC_GTEST_PROP(EncodeHeaderTextProperty, DecodingUndoesIt, ()) {
  std::string text;
  for (const auto c : *rc::gen::container<std::vector<char>>(rc::gen::inRange(char{33}, char{127})))
    text += c;
  for (int i = *rc::gen::inRange(0, 60); i > 0; --i)
    text += *rc::gen::element<std::string>("\xC3\xBC", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "x");
  const std::string encoded = encode_header_text(text);
  RC_ASSERT(is_ascii(encoded));
  for (const std::string_view line : split(encoded, '\n')) RC_ASSERT(line.size() <= 900U);
  RC_ASSERT(decode_header(encoded) == text);
}

TEST(Transfer, QuotedPrintable) {
  EXPECT_EQ(qp("a=3D=E4 b"), "a=\xE4 b");
  EXPECT_EQ(qp("soft=\r\nbreak= \t\r\n."), "softbreak.");
  EXPECT_EQ(qp("trailing \t\r\nx  "), "trailing\r\nx");
  EXPECT_EQ(qp("=3d=zz=4"), "==zz=4");
  EXPECT_EQ(qp("end="), "end");
  EXPECT_EQ(qp("a =20\n"), "a  \n");
}

TEST(Transfer, Base64) {
  EXPECT_EQ(b64("SGVs\r\nbG8="), "Hello");
  EXPECT_EQ(b64("SGVsbG8"), "Hello");
  EXPECT_EQ(b64("S G!V-sbG8=\r\nSGk="), "HelloHi");
  EXPECT_EQ(b64("===="), "");
  EXPECT_EQ(b64("A"), "");
}

TEST(Transfer, NamesOfEncodings) {
  EXPECT_EQ(parse_encoding(" BASE64 (yes)\r\n"), Encoding::base64);
  EXPECT_EQ(parse_encoding(""), Encoding::seven_bit);
  EXPECT_EQ(parse_encoding("uuencode"), Encoding::unknown);
  EXPECT_EQ(parse_encoding("8Bit;"), Encoding::eight_bit);
}

RC_GTEST_PROP(TransferProperty, PiecesGiveTheSameAsTheWhole, (std::string noise)) {
  std::string text = noise;
  for (int i = *rc::gen::inRange(0, 30); i > 0; --i)
    text += *rc::gen::element<std::string>("=", "\r", "\n", " ", "3D", "=3D", "\t", "QUJD", "x");
  for (const Encoding encoding : {Encoding::base64, Encoding::quoted_printable}) {
    std::string pieces;
    TransferDecoder decoder(encoding);
    for (std::string_view rest = text; !rest.empty();) {
      const auto size = *rc::gen::inRange<std::size_t>(1, rest.size() + 1);
      decoder.decode(rest.substr(0, size), pieces);
      rest.remove_prefix(size);
    }
    decoder.finish(pieces);
    RC_ASSERT(pieces == decode_transfer(encoding, text));
  }
}

RC_GTEST_PROP(TransferProperty, Base64IsUndone, (std::string octets)) {
  RC_ASSERT(b64(to_base64(octets)) == octets);
}

TEST(Charset, Conversions) {
  EXPECT_EQ(to_utf8("iso-8859-1", "\xFC").value(), "\xC3\xBC");
  EXPECT_EQ(to_utf8("KOI8-R", "\xC1").value(), "\xD0\xB0");
  EXPECT_EQ(to_utf8("gb2312", "\xC4\xE3").value(), "\xE4\xBD\xA0");
  EXPECT_EQ(to_utf8("iso-2022-jp", "\x1B$B$\"\x1B(B").value(), "\xE3\x81\x82");
  EXPECT_EQ(to_utf8("Shift_JIS", "\x82\xA0").value(), "\xE3\x81\x82");
  EXPECT_EQ(to_utf8("utf-8", "a\xFFz").value(), "a\xEF\xBF\xBDz");
  EXPECT_EQ(to_utf8("us-ascii", "\xC3\xBC").value(), "\xC3\xBC");
  EXPECT_EQ(to_utf8("", "\xFC").value(), "\xC3\xBC");
  EXPECT_EQ(to_utf8("klingon", "x").error().code, Errc::not_supported);
  EXPECT_EQ(to_utf8("utf-16,swap", "x").error().code, Errc::not_supported);
  EXPECT_EQ(to_utf8_or_guess("klingon", "\xFC"), "\xC3\xBC");
}

TEST(Charset, TheListThatSearchMustKnow) {
  for (const char* name :
       {"UTF-8",        "US-ASCII",     "ISO-8859-1",   "ISO-8859-2", "iso-8859-5", "ISO-8859-15",
        "windows-1250", "Windows-1251", "windows-1252", "Shift_JIS",  "EUC-JP",     "ISO-2022-JP",
        "GB18030",      "gbk",          "Big5",         "EUC-KR",     "KOI8-R",     "KOI8-U",
        "TIS-620",      "utf-7",        "utf-16"})
    EXPECT_TRUE(charset_known(name)) << name;
  EXPECT_FALSE(charset_known("x-none"));
}

TEST(Charset, LongTextsWithPairsAcrossChunks) {
  std::string expected = "x";
  std::string octets("\0x", 2);
  for (int i = 0; i < 5000; ++i) {
    octets.append("\xD8\x3D\xDE\x00", 4);
    expected += "\xF0\x9F\x98\x80";
  }
  EXPECT_EQ(to_utf8("utf-16be", octets).value(), expected);
}

TEST(Charset, Nfc) {
  EXPECT_EQ(to_nfc("u\xCC\x88").value(), "\xC3\xBC");
  EXPECT_EQ(to_nfc("plain").value(), "plain");
  EXPECT_EQ(to_nfc("\xFF").error().code, Errc::bad_syntax);
}

// RFC 5051 §2 with its example U+01C4.
TEST(Casemap, TitlecasedAndDecomposed) {
  EXPECT_EQ(casemap("aBc"), "ABC");
  EXPECT_EQ(casemap("\xC7\x84"), "Dz\xCC\x8C");
  EXPECT_EQ(casemap("\xC3\xBC"), "U\xCC\x88");
  EXPECT_EQ(casemap("a\xFF"), "a\xFF");
}

TEST(Casemap, ContainsWithoutCase) {
  EXPECT_TRUE(
      contains_casemap("Gr\xC3\x9C\xC3\x9F"
                       "e",
                       "gr\xC3\xBC"));
  EXPECT_TRUE(contains_casemap("\xC3\x84rger", "\xC3\xA4R"));
  EXPECT_TRUE(contains_casemap("caf\xC3\xA9", "CAFE"));
  EXPECT_FALSE(contains_casemap("cafe", "caf\xC3\xA9"));
  EXPECT_TRUE(contains_casemap("anything", ""));
  EXPECT_FALSE(contains_casemap("", "x"));
}

RC_GTEST_PROP(FindProperty, AgreesWithAPlainSearch, ()) {
  const auto letters = rc::gen::container<std::string>(rc::gen::element('a', 'A', 'b', '[', '{'));
  const std::string haystack = *letters + *letters + *letters;
  const std::string needle = *rc::gen::scale(0.1, letters);
  RC_ASSERT(find_ascii_casemap(haystack, needle) == to_lower(haystack).find(to_lower(needle)));
}

}  // namespace
}  // namespace postern::mime
