// ENVELOPE and BODYSTRUCTURE, octet by octet.
#include "lib/mime/imap_form.h"

#include <gtest/gtest.h>

#include "tests/unit/mime/support.h"

namespace postern::mime {
namespace {

using testing::check_body;
using testing::check_envelope;
using testing::crlf;

std::string envelope_of(const std::string& header, Form form = Form::rev1) {
  const std::string octets = crlf(header + "\n");
  std::string out = envelope(parse(octets), form);
  EXPECT_EQ(check_envelope(out, form == Form::utf8), "") << out;
  return out;
}

std::string structure_of(const std::string& text, Form form = Form::rev1) {
  const std::string octets = crlf(text);
  const Message message = parse(octets);
  EXPECT_EQ(check_body(body(message, form), false, form == Form::utf8), "") << body(message, form);
  std::string out = bodystructure(message, form);
  EXPECT_EQ(check_body(out, true, form == Form::utf8), "") << out;
  return out;
}

// RFC 3501 §8
TEST(Envelope, TheExampleOfTheRfc) {
  EXPECT_EQ(envelope_of("Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\n"
                        "From: Terry Gray <gray@cac.washington.edu>\n"
                        "Subject: IMAP4rev1 WG mtg summary and minutes\n"
                        "To: imap@cac.washington.edu\n"
                        "Cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\n"
                        "Message-Id: <B27397-0100000@cac.washington.edu>\n"),
            "(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" "
            "\"IMAP4rev1 WG mtg summary and minutes\" "
            "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
            "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
            "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
            "((NIL NIL \"imap\" \"cac.washington.edu\")) "
            "((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")"
            "(\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) NIL NIL "
            "\"<B27397-0100000@cac.washington.edu>\")");
}

TEST(Envelope, AbsentIsNilAndEmptyIsEmpty) {
  EXPECT_EQ(envelope_of(""), "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
  EXPECT_EQ(envelope_of("Subject:\nTo: \nSender: ,\nFrom: a@b\n"),
            "(NIL \"\" ((NIL NIL \"a\" \"b\")) ((NIL NIL \"a\" \"b\")) ((NIL NIL \"a\" \"b\")) "
            "NIL NIL NIL NIL NIL)");
}

TEST(Envelope, GroupsAndRoutes) {
  EXPECT_EQ(envelope_of("To: A \"group\": b@c, d;, <@x,@y:e@f>\n"),
            "(NIL NIL NIL NIL NIL ((NIL NIL \"A group\" NIL)(NIL NIL \"b\" \"c\")"
            "(NIL NIL \"d\" \"\")(NIL NIL NIL NIL)(NIL \"@x,@y\" \"e\" \"f\")) NIL NIL NIL NIL)");
}

TEST(Envelope, QuotesAreEscapedAndEncodedWordsStay) {
  EXPECT_EQ(envelope_of("Subject: say \"hi\" \\o/ =?utf-8?Q?=C3=BC?=\n"),
            "(NIL \"say \\\"hi\\\" \\\\o/ =?utf-8?Q?=C3=BC?=\" NIL NIL NIL NIL NIL NIL NIL NIL)");
}

TEST(Envelope, EightBitIsALiteralOrUtf8) {
  const std::string header = "Subject: gr\xC3\xBC\xC3\x9F\n";
  EXPECT_EQ(envelope_of(header), "(NIL {6}\r\ngr\xC3\xBC\xC3\x9F NIL NIL NIL NIL NIL NIL NIL NIL)");
  EXPECT_EQ(envelope_of(header, Form::utf8),
            "(NIL \"gr\xC3\xBC\xC3\x9F\" NIL NIL NIL NIL NIL NIL NIL NIL)");
  EXPECT_EQ(envelope_of("Subject: \xFC\n", Form::utf8),
            "(NIL {1}\r\n\xFC NIL NIL NIL NIL NIL NIL NIL NIL)");
}

TEST(Envelope, NulAndBareCrBecomeSpaces) {
  EXPECT_EQ(envelope_of(std::string("Subject: a\0b\rc\n", 15)),
            "(NIL \"a b c\" NIL NIL NIL NIL NIL NIL NIL NIL)");
}

TEST(BodyStructure, DefaultText) {
  EXPECT_EQ(
      structure_of("Subject: x\n\none\ntwo\n"),
      "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 10 2 NIL NIL NIL NIL)");
}

TEST(BodyStructure, TextWithEverything) {
  EXPECT_EQ(structure_of("Content-Type: text/html; charset=utf-8; format=\"a \\\"b\"\n"
                         "Content-Transfer-Encoding: Quoted-Printable\nContent-ID: <1@2>\n"
                         "Content-Description: some text\nContent-MD5: abc==\n"
                         "Content-Disposition: inline; filename=\"x y.html\"\n"
                         "Content-Language: de, en\nContent-Location: http://x/\n\nx\n"),
            "(\"TEXT\" \"HTML\" (\"CHARSET\" \"utf-8\" \"FORMAT\" \"a \\\"b\") \"<1@2>\" "
            "\"some text\" \"QUOTED-PRINTABLE\" 3 1 \"abc==\" "
            "(\"INLINE\" (\"FILENAME\" \"x y.html\")) (\"de\" \"en\") \"http://x/\")");
}

TEST(BodyStructure, MultipartWithNestedMessage) {
  EXPECT_EQ(
      structure_of("Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n"
                   "Content-Type: message/rfc822\n\nSubject: in\n\nx\ny\n--b\n"
                   "Content-Type: image/png; name=a\nContent-Transfer-Encoding: base64\n\nAAAA\n"
                   "--b--\n"),
      "((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 3 0 NIL NIL NIL NIL)"
      "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 19 "
      "(NIL \"in\" NIL NIL NIL NIL NIL NIL NIL NIL) "
      "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 4 1 NIL NIL NIL NIL) 3 "
      "NIL NIL NIL NIL)"
      "(\"IMAGE\" \"PNG\" (\"NAME\" \"a\") NIL NIL \"BASE64\" 4 NIL NIL NIL NIL) "
      "\"MIXED\" (\"BOUNDARY\" \"b\") NIL NIL NIL)");
}

// RFC 2231 §6
TEST(BodyStructure, ContinuationsAreJoined) {
  EXPECT_EQ(structure_of("Content-Type: a/b; name*1=\"lo\"; name*0=hel; x*0*=utf-8'de'%41; "
                         "x*1=\" b\"\n\n"),
            "(\"A\" \"B\" (\"NAME\" \"hello\" \"X*\" \"utf-8'de'%41%20b\") NIL NIL \"7BIT\" 0 "
            "NIL NIL NIL NIL)");
}

TEST(BodyStructure, GlobalIsNestedOnlyForThoseWhoKnowIt) {
  const std::string text = "Content-Type: message/global\n\nSubject: in\n\nx\n";
  EXPECT_EQ(structure_of(text), "(\"MESSAGE\" \"GLOBAL\" NIL NIL NIL \"7BIT\" 18 NIL NIL NIL NIL)");
  EXPECT_EQ(structure_of(text, Form::utf8),
            "(\"MESSAGE\" \"GLOBAL\" NIL NIL NIL \"7BIT\" 18 "
            "(NIL \"in\" NIL NIL NIL NIL NIL NIL NIL NIL) "
            "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 3 1 NIL NIL NIL NIL) "
            "3 NIL NIL NIL NIL)");
  const std::string octets = crlf(text);
  EXPECT_TRUE(forms_differ(parse(octets)));
}

TEST(BodyStructure, UnknownEncodingIsShownAsItIs) {
  EXPECT_EQ(structure_of("Content-Type: a/b\nContent-Transfer-Encoding: x-uue\n\n"),
            "(\"A\" \"B\" NIL NIL NIL \"X-UUE\" 0 NIL NIL NIL NIL)");
}

}  // namespace
}  // namespace postern::mime
