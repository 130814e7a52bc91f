#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lmtpd/connection.h"
#include "lmtpd/grammar.h"
#include "lmtpd/message_facts.h"
#include "lmtpd/trace_fields.h"

namespace postern::lmtp {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string path(std::string_view text) {
  const auto parsed = parse_path_argument("TO:" + std::string(text), "TO:");
  if (!parsed) return "error";
  return parsed->address ? parsed->address->local + "|" + parsed->address->domain : "null";
}

TEST(Grammar, Paths) {
  EXPECT_EQ(path("<>"), "null");
  EXPECT_EQ(path("<anna>"), "anna|");
  EXPECT_EQ(path(" <anna@example.org>"), "anna|example.org");
  EXPECT_EQ(path("<\"a b\\\"@>\"@example.org>"), "a b\"@>|example.org");
  EXPECT_EQ(path("<anna@[IPv6:::1]>"), "anna|[IPv6:::1]");
  EXPECT_EQ(path("<@a,@b:anna@example.org>"), "anna|example.org");
  EXPECT_EQ(path("<j\xC3\xBCrg@example.org>"), "j\xC3\xBCrg|example.org");
  for (const auto bad :
       {"", "anna", "<", "<anna", "<anna@>", "<@example.org>", "<anna@b c>", "<\"anna>",
        "<\"anna\\", "<anna@[1.2.3.4>", "<anna>x", "<a\tb@c>", "<\"a\r\"@c>", "<@a>anna:<b>"})
    EXPECT_EQ(path(bad), "error") << bad;
}

TEST(Grammar, RawKeepsTheWayItWasWritten) {
  const auto parsed = parse_path_argument("FROM:<@a:\"anna\"@Example.ORG>", "FROM:");
  EXPECT_EQ(parsed->address->raw, "\"anna\"@Example.ORG");
  EXPECT_EQ(parsed->address->text(), "anna@Example.ORG");
}

TEST(Grammar, ChunksAndXtext) {
  EXPECT_EQ(parse_bdat("12")->size, 12U);
  EXPECT_FALSE(parse_bdat("12")->last);
  EXPECT_TRUE(parse_bdat("0 last")->last);
  for (const auto bad :
       {"", "x", "-1", "12 FIRST", "12 LAST x", "99999999999999999999", "9223372036854775808"})
    EXPECT_FALSE(parse_bdat(bad)) << bad;
  EXPECT_EQ(decode_xtext("a+2Bb+40").value(), "a+b@");
  for (const auto bad : {"+", "+4", "a+zz", "++++"}) EXPECT_FALSE(decode_xtext(bad)) << bad;
}

TEST(Connection, RecordUndoesItself) {
  Connection conn;
  conn.lhlo_name = "client.example.org";
  conn.authenticated = "mta";
  conn.transactions = 7;
  conn.delivered = 12;
  conn.mistakes = 3;
  EXPECT_EQ(Connection::restore(conn.record()).value(), conn);
  const std::string record = conn.record();
  for (std::size_t n = 1; n < record.size(); ++n) {
    const auto cut = Connection::restore(std::string_view(record).substr(0, n));
    EXPECT_FALSE(cut && *cut == conn) << n;
  }
}

TEST(MessageFacts, IdsAndFingerprint) {
  const std::string rest = "Message-ID: <1@x>\r\nSubject: s\r\n\r\nbody\r\n";
  const auto plain = MessageFacts::of(rest);
  EXPECT_EQ(plain.message_id, "<1@x>");
  EXPECT_EQ(plain.mta_id, "");
  EXPECT_EQ(plain.fingerprint.size(), 64U);
  const auto traced = MessageFacts::of(
      "Return-Path: <a@b>\r\nReceived: from a (b id no [1.2.3.4])\r\n\tby c (Postfix) with ESMTP "
      "id 4dF2kq\r\n\tfor <x>; Mon, 1 Jan 2024 00:00:00 +0000\r\nReceived: by d id second; x\r\n" +
      rest);
  EXPECT_EQ(traced.mta_id, "4dF2kq");
  EXPECT_EQ(traced.fingerprint, plain.fingerprint) << "leading trace fields don't count";
  EXPECT_NE(MessageFacts::of("X: y\r\n" + rest).fingerprint, plain.fingerprint);
  EXPECT_NE(MessageFacts::of("Message-ID: <2@x>\r\nSubject: s\r\n\r\nbody\r\n").fingerprint,
            plain.fingerprint);
  EXPECT_EQ(MessageFacts::of("Subject: s\r\n\r\nMessage-ID: <1@x>\r\n").fingerprint, "");
  EXPECT_EQ(MessageFacts::of("").message_id, "");
}

TEST(TraceFields, NameTheProtocolAndOnlyOneRecipient) {
  TraceFacts facts;
  facts.client = "mx";
  facts.peer = "2001:db8::1";
  facts.host = "mail.example.org";
  facts.id = "2a.1";
  facts.smtputf8 = facts.authenticated = facts.tls = true;
  facts.now = 1704067200;
  const std::string many = trace_fields(facts);
  EXPECT_THAT(many, StartsWith("Return-Path: <>\r\nReceived: from mx ([IPv6:2001:db8::1])\r\n"));
  EXPECT_THAT(many, HasSubstr("with UTF8LMTPSA id 2a.1;\r\n\t"));
  facts.recipient = "anna@example.org";
  EXPECT_THAT(trace_fields(facts), HasSubstr("Delivered-To: anna@example.org\r\n"));
  EXPECT_THAT(trace_fields(facts), HasSubstr("\r\n\tfor <anna@example.org>;\r\n\t"));
}

}  // namespace
}  // namespace postern::lmtp
