// HEADER.FIELDS, unfolding, message ids, base subjects and parameters.
#include "lib/mime/header.h"

#include <gtest/gtest.h>

#include "lib/mime/parameters.h"
#include "tests/unit/mime/support.h"

namespace postern::mime {
namespace {

using Show = FieldSelector::Show;

std::string select(const std::string& header, std::vector<std::string_view> names, Show show) {
  return header_fields(testing::crlf(header), names, show);
}

TEST(HeaderFields, NamedAndNotNamed) {
  const std::string header = "From: a\nTo: b\n c\nX-From: d\nFROM: e\njunk\n\n";
  EXPECT_EQ(select(header, {"from"}, Show::named), "From: a\r\nFROM: e\r\n\r\n");
  EXPECT_EQ(select(header, {"to", "cc"}, Show::named), "To: b\r\n c\r\n\r\n");
  EXPECT_EQ(select(header, {"FROM", "To"}, Show::not_named), "X-From: d\r\njunk\r\n\r\n");
  EXPECT_EQ(select(header, {"none"}, Show::named), "\r\n");
}

TEST(HeaderFields, NoEmptyLineWhereThereIsNone) {
  EXPECT_EQ(select("From: a\nTo: b", {"from"}, Show::named), "From: a\r\n");
  EXPECT_EQ(select("", {"from"}, Show::named), "");
}

TEST(HeaderFields, LongNames) {
  const std::string name(80, 'x');
  const std::string header = name + ": 1\n" + name + "y: 2\n\n";
  EXPECT_EQ(select(header, {name}, Show::named), name + ": 1\r\n\r\n");
}

TEST(Unfold, RemovesLineEndsOnly) {
  EXPECT_EQ(unfold(" a\r\n b\n\tc\rd \r\n "), "a b\tc\rd");
  EXPECT_EQ(unfold(""), "");
}

TEST(MessageIds, InOrderAndCleaned) {
  const std::vector<std::string> expected{"<a@b>", "<c@d>", "<e@f>"};
  EXPECT_EQ(message_ids("<a@b>\r\n <c @d>(x <y>) junk \"<q@r>\" <e@f>"), expected);
  EXPECT_TRUE(message_ids("none <> <open").empty());
}

TEST(BaseSubject, Rfc5256) {
  const auto base = [](const char* subject) { return base_subject(subject); };
  EXPECT_EQ(base("Re: Hello"), "Hello");
  EXPECT_EQ(base("RE: re: FWD: fw :Hello  world "), "Hello world");
  EXPECT_EQ(base("[list] Re[2]: [list] Hello (fwd)  (FWD)"), "Hello");
  EXPECT_EQ(base("[fwd: Re: Hello]"), "Hello");
  EXPECT_EQ(base("[only a blob]"), "[only a blob]");
  EXPECT_EQ(base("[a] [b]"), "[b]");
  EXPECT_EQ(base("Reply: x"), "Reply: x");
  EXPECT_EQ(base("=?utf-8?Q?Re=3A_=C3=BC?="), "\xC3\xBC");
  EXPECT_EQ(base("Re: "), "");
}

TEST(BaseSubject, SaysWhetherItIsAReply) {
  bool reply = true;
  (void)base_subject("[list] Hello", &reply);
  EXPECT_FALSE(reply);
  (void)base_subject("Re: Hello", &reply);
  EXPECT_TRUE(reply);
}

std::string value(const char* field, const char* name) {
  const Parameterized parsed = parse_parameterized(field);
  const std::string* found = parsed.find(name);
  return found != nullptr ? *found : "(none)";
}

TEST(Parameters, Plain) {
  EXPECT_EQ(parse_parameterized(" Text / HTML ; a=b").main, "text/html");
  EXPECT_EQ(value("text/plain; Charset=\"utf-8\" (comment); format=flowed", "charset"), "utf-8");
  EXPECT_EQ(value("text/plain; Charset=utf-8 (comment); format=flowed", "format"), "flowed");
  EXPECT_EQ(value("text/plain;;; a=\"x\\\"y\"", "a"), "x\"y");
  EXPECT_EQ(parse_parameterized("attachment; filename=x").main, "attachment");
}

TEST(Parameters, Sloppy) {
  EXPECT_EQ(value("attachment; filename=my file.pdf; size=3", "filename"), "my file.pdf");
  EXPECT_EQ(value("attachment; filename=my file.pdf; size=3", "size"), "3");
  EXPECT_EQ(value("text/plain; charset=utf-8 format=flowed", "charset"), "utf-8");
  EXPECT_EQ(value("text/plain charset=utf-8", "charset"), "utf-8");
  EXPECT_EQ(value("text/plain; name=\"=?utf-8?Q?=C3=BC?=\"", "name"), "\xC3\xBC");
  EXPECT_EQ(value("a/b; c = ; d=\"open", "d"), "open");
  EXPECT_EQ(value("a/b; c", "c"), "(none)");
  EXPECT_EQ(value("filename=x", "filename"), "x");
}

// RFC 2231 §4.1
TEST(Parameters, Rfc2231) {
  EXPECT_EQ(value("application/x-stuff; title*0*=us-ascii'en'This%20is%20even%20more%20; "
                  "title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*2=\"isn't it!\"",
                  "title"),
            "This is even more ***fun*** isn't it!");
  EXPECT_EQ(value("a/b; name*=iso-8859-1''%FC; name=u", "name"), "\xC3\xBC");
  EXPECT_EQ(value("a/b; name=u; name*=iso-8859-1''%FC", "name"), "\xC3\xBC");
  EXPECT_EQ(value("a/b; name*1=b; name*0=a", "name"), "ab");
  EXPECT_EQ(value("a/b; name*=no-quotes%41", "name"), "no-quotesA");
  EXPECT_EQ(value("a/b; name*=%4", "name"), "%4");
}

TEST(Parameters, ManyAreBounded) {
  std::string field = "a/b";
  for (int i = 0; i < 100'000; ++i) field += "; n*" + std::to_string(i) + "=x";
  EXPECT_LE(parse_parameterized(field).find("n")->size(), 256U);
}

TEST(Parameters, BoundaryOfAMultipart) {
  EXPECT_EQ(parse_media_type("multipart/mixed; boundary=\"a b \"").boundary, "a b");
  EXPECT_EQ(parse_media_type("multipart/mixed; boundary=----=_x/y").boundary, "----=_x/y");
  EXPECT_EQ(parse_media_type("multipart/mixed; boundary*0=a; boundary*1=b").boundary, "ab");
  EXPECT_EQ(parse_media_type("text/plain; boundary=x").boundary, "");
}

TEST(Parameters, FileName) {
  const std::string octets =
      "Content-Type: a/b; name=one\r\nContent-Disposition: attachment; filename=two\r\n\r\n";
  const Message message = parse(octets);
  EXPECT_EQ(file_name(message, message.parts[0]), "two");
}

}  // namespace
}  // namespace postern::mime
