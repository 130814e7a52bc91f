#include "lmtpd/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "lib/base/text.h"
#include "tests/unit/lmtpd/harness.h"

namespace postern::lmtp {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

const std::string kHello = "LHLO client.example.org\r\n";
const std::string kMessage =
    "From: bob@example.org\r\nMessage-ID: <1@example.org>\r\nSubject: s\r\n\r\nbody\r\n";

class Session : public LmtpTest {
 protected:
  void hello() { EXPECT_THAT(talk(kHello), StartsWith("250-mail.example.org\r\n")); }
  /// The reply codes of a script, as "250 550".
  std::string codes(const std::string& script) {
    std::string out;
    const std::string said = talk(script);
    for (const auto line : split(said, '\n'))
      if (line.size() > 3 && line[3] == ' ')
        out += (out.empty() ? "" : " ") + std::string(line.substr(0, 3));
    return out;
  }
  static std::string mail_to(std::initializer_list<std::string_view> recipients,
                             std::string_view text = kMessage) {
    std::string out = "MAIL FROM:<bob@example.org>\r\n";
    for (const auto recipient : recipients) out += "RCPT TO:<" + std::string(recipient) + ">\r\n";
    return out + "DATA\r\n" + std::string(text) + ".\r\n";
  }
};

TEST_F(Session, LhloAnnouncesWhatIsThereAndHasNoStatusCode) {
  const std::string said = talk(kHello);
  for (const auto line :
       {"250-8BITMIME", "250-BINARYMIME", "250-CHUNKING", "250-DSN", "250-ENHANCEDSTATUSCODES",
        "250-PIPELINING", "250-SIZE 67108864", "250 SMTPUTF8"})
    EXPECT_THAT(said, HasSubstr(std::string(line) + "\r\n"));
  EXPECT_THAT(said, Not(HasSubstr("AUTH")));
  EXPECT_TRUE(parked());
}

TEST_F(Session, SmtpGreetingsAreRefused) { EXPECT_EQ(codes("HELO x\r\nEHLO x\r\n"), "500 500"); }

TEST_F(Session, OrderOfCommandsIsKept) {
  add_user("anna");
  EXPECT_EQ(codes("MAIL FROM:<>\r\nRCPT TO:<anna>\r\nDATA\r\n"), "503 503 503");
  hello();
  EXPECT_EQ(codes("RCPT TO:<anna>\r\nDATA\r\nMAIL FROM:<>\r\nMAIL FROM:<>\r\nDATA\r\nRSET\r\n"),
            "503 503 250 503 503 250");
  EXPECT_TRUE(parked());
}

TEST_F(Session, OneMessageArrivesWithTraceFieldsAndIsByteExact) {
  add_user("anna");
  hello();
  const std::string said = talk(mail_to({"anna@example.org"}, "..dot\r\n" + kMessage));
  EXPECT_THAT(said, HasSubstr("354 "));
  EXPECT_THAT(said, HasSubstr("\r\n250 2.1.5 Delivered (2a.1)\r\n"));
  ASSERT_EQ(messages("user/anna").size(), 1U);
  const std::string& stored = messages("user/anna")[0].bytes;
  EXPECT_THAT(stored, StartsWith("Return-Path: <bob@example.org>\r\n"
                                 "Delivered-To: anna@example.org\r\n"
                                 "Received: from client.example.org ([192.0.2.7])\r\n"
                                 "\tby mail.example.org (Postern) with LMTP id 2a.1\r\n"
                                 "\tfor <anna@example.org>;\r\n\t"));
  EXPECT_TRUE(stored.ends_with("\r\n.dot\r\n" + kMessage));
}

TEST_F(Session, RecipientsOfOneTransactionShareTheFileSoItNamesNone) {
  add_user("anna");
  add_user("bob");
  hello();
  EXPECT_EQ(codes(mail_to({"anna", "bob"})), "250 250 250 354 250 250");
  EXPECT_EQ(store::fake::state().deliver_calls, 1);
  const std::string& stored = messages("user/anna")[0].bytes;
  EXPECT_EQ(stored, messages("user/bob")[0].bytes);
  EXPECT_THAT(stored, Not(HasSubstr("Delivered-To")));
  EXPECT_THAT(stored, Not(HasSubstr("for <")));
}

TEST_F(Session, EachRecipientIsAnsweredForItself) {
  const auto anna = add_user("anna");
  const auto bob = add_user("bob");
  add_user("carl");
  hello();
  store::fake::state().failing[bob.id] = Errc::over_quota;
  const std::string said = talk(mail_to({"anna", "nobody", "bob", "carl"}));
  EXPECT_THAT(said, HasSubstr("250 2.1.5 Ok\r\n550 5.1.1 Unknown user\r\n250 2.1.5 Ok\r\n"));
  EXPECT_TRUE(
      said.ends_with("250 2.1.5 Delivered (2a.1)\r\n452 4.2.2 Mailbox is full\r\n"
                     "250 2.1.5 Delivered (2a.1)\r\n"))
      << said;
}

TEST_F(Session, EveryFailureOfTheServerIsTemporary) {
  const auto anna = add_user("anna");
  hello();
  for (const Errc code : {Errc::io, Errc::corrupt, Errc::unavailable, Errc::in_use, Errc::limit,
                          Errc::timed_out, Errc::not_supported}) {
    store::fake::state().failing[anna.id] = code;
    EXPECT_THAT(talk(mail_to({"anna"})), MatchesRegex(".*\r\n4[0-9]+ 4[^\r]*\r\n"))
        << name_of(code);
  }
}

TEST_F(Session, OverQuotaIsPermanentWhereTheOperatorSaysSo) {
  set("lmtp.over_quota_permanent=true");
  const auto anna = add_user("anna");
  hello();
  store::fake::state().failing[anna.id] = Errc::over_quota;
  EXPECT_THAT(talk(mail_to({"anna"})), HasSubstr("552 5.2.2 "));
}

TEST_F(Session, QuotaIsKnownAtRcpt) {
  add_user("anna");
  hello();
  ASSERT_TRUE(meta_->set_quota(mailbox("user/anna"), {{meta::Resource::storage, 0, 1000}}));
  EXPECT_EQ(codes("MAIL FROM:<> SIZE=1000\r\nRCPT TO:<anna>\r\nRSET\r\n"), "250 250 250");
  EXPECT_EQ(codes("MAIL FROM:<> SIZE=1001\r\nRCPT TO:<anna>\r\nRSET\r\n"), "250 452 250");
}

TEST_F(Session, MailboxDeletedSinceRcptIsLookedUpAgain) {
  const auto anna = add_user("anna");
  hello();
  store::fake::state().failing[anna.id] = Errc::mailbox_deleted;
  EXPECT_THAT(talk(mail_to({"anna"})), HasSubstr("451 4.2.0 "));
  EXPECT_EQ(store::fake::state().deliver_calls, 2);
}

TEST_F(Session, SizeOverTheLimitIsRefusedAtMailAndAtTheEnd) {
  set("lmtp.max_message=2KiB");
  add_user("anna");
  hello();
  EXPECT_THAT(talk("MAIL FROM:<> SIZE=2049\r\n"), StartsWith("552 5.3.4 "));
  EXPECT_EQ(codes(mail_to({"anna"}, std::string(2049, 'x') + "\r\n")), "250 250 354 552");
  EXPECT_EQ(codes(mail_to({"anna"}, std::string(2000, 'x') + "\r\n")), "250 250 354 250");
}

TEST_F(Session, DiskFullWhileReceivingIsTemporaryAndTheSessionGoesOn) {
  add_user("anna");
  hello();
  store::fake::state().fail_stage_at = 600;
  EXPECT_EQ(codes(mail_to({"anna"}, std::string(2000, 'x') + "\r\n") + "NOOP\r\n"),
            "250 250 354 451 250");
  EXPECT_TRUE(messages("user/anna").empty());
}

TEST_F(Session, FalseEndOfTextAndNulAreRefused) {
  add_user("anna");
  hello();
  EXPECT_THAT(talk(mail_to({"anna"}, "a\n.\nMAIL FROM:<evil@example.org>\r\n")),
              HasSubstr("\r\n554 5.6.0 "));
  EXPECT_THAT(talk(mail_to({"anna"}, std::string_view("a\0b\r\n", 5))),
              HasSubstr("\r\n554 5.6.0 "));
  EXPECT_TRUE(messages("user/anna").empty());
}

TEST_F(Session, BareLineFeedsBecomeCrlf) {
  add_user("anna");
  hello();
  EXPECT_EQ(codes(mail_to({"anna"}, "Subject: x\n\nbody\n\r\n")), "250 250 354 250");
  EXPECT_TRUE(messages("user/anna")[0].bytes.ends_with("Subject: x\r\n\r\nbody\r\n\r\n"));
}

TEST_F(Session, UnknownUserWhomAuthenticationKnowsGetsAnInbox) {
  ASSERT_TRUE(auth::set_password(config_, user("dora"), auth::Secret("x")));
  hello();
  EXPECT_EQ(codes(mail_to({"dora", "ghost"})), "250 250 550 354 250");
  EXPECT_EQ(messages("user/dora").size(), 1U);
  EXPECT_EQ(meta_->lookup(mailbox("user/dora/Sent"))->special_use, "\\Sent");
  EXPECT_THAT(meta_->subscriptions(user("dora")).value(), testing::Contains("INBOX"));
}

TEST_F(Session, WithoutAutocreateOnlyThoseWithAnInboxExist) {
  set("lmtp.autocreate=false");
  ASSERT_TRUE(auth::set_password(config_, user("dora"), auth::Secret("x")));
  hello();
  EXPECT_EQ(codes("MAIL FROM:<>\r\nRCPT TO:<dora>\r\nRSET\r\n"), "250 550 250");
}

// RFC 5321 §4.5.1
TEST_F(Session, MailForThePostmasterGoesToTheOneWhoIsNamed) {
  set("lmtp.postmaster=anna");
  const auto anna = add_user("anna");
  hello();
  talk(mail_to({"Postmaster", "postmaster@elsewhere.example"}));
  EXPECT_EQ(messages(anna).size(), 1U);  // the same message, to the same mailbox
  const auto postmaster = add_user("postmaster");
  talk(mail_to({"postmaster"}, "Subject: 2\r\n\r\n"));
  EXPECT_EQ(messages(anna).size(), 1U);
  EXPECT_EQ(messages(postmaster).size(), 1U);
}

TEST_F(Session, APostmasterWhoIsNobodyIsRefusedAndToldSo) {
  for (const char* nobody : {"lmtp.postmaster=", "lmtp.postmaster=nobody"}) {
    set(nobody);
    open();
    hello();
    EXPECT_THAT(talk("MAIL FROM:<>\r\nRCPT TO:<Postmaster>\r\nRSET\r\n"),
                HasSubstr("550 5.1.1 Nobody reads mail for the postmaster here"));
  }
}

TEST_F(Session, PlusAddressNeedsTheRightToPost) {
  add_user("anna");
  const auto lists = add_mailbox("user/anna/Lists", "p");
  const auto secret = add_mailbox("user/anna/Secret");
  hello();
  codes(mail_to({"anna+Lists", "anna+Secret@example.org"}, "Subject: 1\r\n\r\n"));
  EXPECT_EQ(messages(lists).size(), 1U);
  EXPECT_TRUE(messages(secret).empty());
  EXPECT_EQ(messages("user/anna").size(), 1U);
}

TEST_F(Session, SharedMailboxesTakeMailWhereTheyAllowIt) {
  open();
  const auto news = add_mailbox("news", "lrp");
  add_mailbox("quiet", "lr");
  add_mailbox("hidden");
  hello();
  EXPECT_EQ(codes("MAIL FROM:<>\r\nRCPT TO:<+quiet>\r\nRCPT TO:<+hidden>\r\nRCPT TO:<+none>\r\n"
                  "RCPT TO:<+news>\r\nDATA\r\n" +
                  kMessage + ".\r\n"),
            "250 550 550 550 250 354 250");
  EXPECT_EQ(messages(news).size(), 1U);
}

TEST_F(Session, SameMessageInTheSameMailboxIsDeliveredOnce) {
  add_user("anna");
  add_user("bob");
  hello();
  EXPECT_EQ(codes(mail_to({"anna", "anna+nowhere", "bob"})), "250 250 250 250 354 250 250 250");
  EXPECT_EQ(messages("user/anna").size(), 1U);
  const std::string again =
      talk(mail_to({"anna"}, "Received: from elsewhere by x id 7; now\r\n" + kMessage));
  EXPECT_THAT(again, HasSubstr("250 2.1.5 Duplicate of an earlier delivery"));
  EXPECT_EQ(messages("user/anna").size(), 1U);
  EXPECT_EQ(codes(mail_to({"anna"}, kMessage + "other text\r\n")), "250 250 354 250");
  EXPECT_EQ(messages("user/anna").size(), 2U);
}

TEST_F(Session, TwoRecipientsOfOneMailboxFailTogether) {
  const auto anna = add_user("anna");
  hello();
  store::fake::state().failing[anna.id] = Errc::io;
  EXPECT_EQ(codes(mail_to({"anna", "anna+x"})), "250 250 250 354 451 451");
}

TEST_F(Session, DuplicateOfAnExpungedCopyIsDelivered) {
  add_user("anna");
  hello();
  codes(mail_to({"anna"}));
  messages("user/anna")[0].expunged = true;
  EXPECT_THAT(talk(mail_to({"anna"})), HasSubstr("Delivered"));
  EXPECT_EQ(messages("user/anna").size(), 2U);
}

TEST_F(Session, FailedDeliveryLeavesNoMark) {
  const auto anna = add_user("anna");
  hello();
  store::fake::state().failing[anna.id] = Errc::io;
  EXPECT_THAT(talk(mail_to({"anna"})), HasSubstr("451"));
  store::fake::state().failing.clear();
  EXPECT_THAT(talk(mail_to({"anna"})), HasSubstr("Delivered"));
}

TEST_F(Session, MessagesWithoutAnIdAndWithSuppressionOffAreNeverDuplicates) {
  add_user("anna");
  hello();
  for (int i = 0; i < 2; ++i) codes(mail_to({"anna"}, "Subject: x\r\n\r\n"));
  EXPECT_EQ(messages("user/anna").size(), 2U);
  set("lmtp.duplicate_life=0");
  open();
  hello();
  for (int i = 0; i < 2; ++i) codes(mail_to({"anna"}));
  EXPECT_EQ(messages("user/anna").size(), 4U);
}

TEST_F(Session, BdatChunksAreOneMessageAndTheLastIsAnsweredByRecipient) {
  add_user("anna");
  add_user("bob");
  hello();
  const std::string said = talk(
      "MAIL FROM:<> BODY=8BITMIME\r\nRCPT TO:<anna>\r\nRCPT TO:<bob>\r\n"
      "BDAT 15\r\nSubject: x\r\n\r\n.BDAT 6 LAST\r\n\r\n.\r\nzNOOP\r\n");
  EXPECT_THAT(said, HasSubstr("250 2.0.0 15 octets received\r\n250 2.1.5 Delivered (2a.1)\r\n"
                              "250 2.1.5 Delivered (2a.1)\r\n250 2.0.0 Ok\r\n"));
  EXPECT_TRUE(messages("user/anna")[0].bytes.ends_with("Subject: x\r\n\r\n.\r\n.\r\nz"));
}

TEST_F(Session, BdatKeepsInStepAfterRefusals) {
  add_user("anna");
  hello();
  // Without a transaction, without recipients, and after a refused chunk the octets are skipped.
  EXPECT_EQ(codes("BDAT 6\r\nQUIT\r\nMAIL FROM:<>\r\nBDAT 6 LAST\r\nQUIT\r\nRSET\r\n"),
            "503 250 503 250");
  EXPECT_EQ(codes("MAIL FROM:<>\r\nRCPT TO:<anna>\r\nBDAT 3\r\n" + std::string("a\0b", 3) +
                  "BDAT 6 LAST\r\nQUIT\r\nRSET\r\nNOOP\r\n"),
            "250 250 554 503 250 250");
  EXPECT_TRUE(messages("user/anna").empty());
  EXPECT_EQ(codes("BDAT x\r\n"), "501");
  EXPECT_FALSE(parked());
}

TEST_F(Session, BinaryTextStaysAsItIs) {
  add_user("anna");
  hello();
  EXPECT_EQ(codes("MAIL FROM:<> BODY=BINARYMIME\r\nRCPT TO:<anna>\r\nDATA\r\nBDAT 5 LAST\r\n" +
                  std::string("a\nb\0c", 5)),
            "250 250 503 250");
  EXPECT_TRUE(messages("user/anna")[0].bytes.ends_with(std::string("a\nb\0c", 5)));
}

TEST_F(Session, DataAndBdatDontMix) {
  add_user("anna");
  hello();
  EXPECT_EQ(
      codes("MAIL FROM:<>\r\nRCPT TO:<anna>\r\nBDAT 1\r\nxDATA\r\nRCPT TO:<anna>\r\nRSET\r\n"),
      "250 250 250 503 503 250");
}

TEST_F(Session, ParametersAreCheckedAndUnknownOnesRefused) {
  add_user("anna");
  hello();
  EXPECT_EQ(codes("MAIL FROM:<a@b> SIZE=10 BODY=8bitmime SMTPUTF8 RET=hdrs ENVID=a+2Bb\r\n"
                  "RCPT TO:<anna> NOTIFY=SUCCESS,failure ORCPT=rfc822;anna+40x\r\n"
                  "RCPT TO:<anna> NOTIFY=NEVER,DELAY\r\nRCPT TO:<anna> ORCPT=anna\r\n"
                  "RCPT TO:<anna> X=1\r\nRCPT TO:<>\r\nRSET\r\n"),
            "250 250 501 501 555 501 250");
  for (const auto bad : {"SIZE=x", "SIZE", "BODY=9BIT", "RET=ALL", "ENVID=+4", "SMTPUTF8=1",
                         "SIZE=1 SIZE=2", "=", "BODY="})
    EXPECT_EQ(codes("MAIL FROM:<> " + std::string(bad) + "\r\n"), "501") << bad;
  EXPECT_EQ(codes("MAIL FROM:<> WHAT=1\r\n"), "555");
  EXPECT_EQ(codes("MAIL FROM:<> SIZE=99999999999999999999\r\n"), "552");  // 20 digits, RFC 1870 §5
  EXPECT_EQ(codes("MAIL FROM:<> SIZE=999999999999999999999\r\n"), "501");
}

TEST_F(Session, NonAsciiSenderNeedsSmtputf8) {
  add_user("anna");
  hello();
  EXPECT_EQ(codes("MAIL FROM:<j\xC3\xBCrg@example.org>\r\n"), "553");
  EXPECT_EQ(codes("MAIL FROM:<j\xC3\xBCrg@example.org> SMTPUTF8\r\nRCPT TO:<anna>\r\nDATA\r\n" +
                  kMessage + ".\r\n"),
            "250 250 354 250");
  EXPECT_THAT(messages("user/anna")[0].bytes, HasSubstr("with UTF8LMTP id"));
  EXPECT_THAT(messages("user/anna")[0].bytes, StartsWith("Return-Path: <j\xC3\xBCrg@example.org>"));
}

TEST_F(Session, NonAsciiRecipientNeedsSmtputf8) {
  add_user("anna");
  hello();
  const std::string rcpt = "RCPT TO:<anna+j\xC3\xBCrg>\r\nRSET\r\n";
  EXPECT_EQ(codes("MAIL FROM:<>\r\n" + rcpt), "250 553 250");
  EXPECT_EQ(codes("MAIL FROM:<> SMTPUTF8\r\n" + rcpt), "250 250 250");
}

TEST_F(Session, TooManyRecipientsAreForLater) {
  set("lmtp.max_recipients=2");
  add_user("anna");
  hello();
  EXPECT_EQ(codes(mail_to({"anna", "anna", "anna"})), "250 250 250 452 354 250 250");
}

TEST_F(Session, LongLinesAndUnknownCommandsAreMistakesAndTooManyEndTheSession) {
  hello();
  EXPECT_EQ(codes(std::string(5000, 'x') + "\r\nEXPN a\r\nVRFY anna\r\nVRFY\r\nHELP\r\n"),
            "500 500 252 501 214");
  std::string many;
  for (int i = 0; i < 60; ++i) many += "BOGUS\r\n";
  EXPECT_THAT(talk(many), HasSubstr("421 4.7.0 "));
  EXPECT_FALSE(parked());
}

TEST_F(Session, QuitSaysGoodbye) {
  hello();
  EXPECT_EQ(codes("QUIT\r\n"), "221");
  EXPECT_FALSE(parked());
  EXPECT_EQ(outcome_.ended.reason, "quit");
}

TEST_F(Session, PeerThatLeavesInTheMiddleOfTheTextLeavesNothing) {
  add_user("anna");
  hello();
  last_words("MAIL FROM:<>\r\nRCPT TO:<anna>\r\nDATA\r\nSubject: half");
  EXPECT_EQ(outcome_.ended.reason, "closed by peer");
  EXPECT_TRUE(messages("user/anna").empty());
}

TEST_F(Session, EndingServerSaysSo) {
  hello();
  runtime_->stopping_ = true;
  EXPECT_THAT(serve(), StartsWith("421 4.3.2 "));
  EXPECT_FALSE(parked());
}

TEST_F(Session, SilenceIsPortersToEnd) {
  hello();
  EXPECT_TRUE(parked());
  EXPECT_EQ(outcome_.parked.autologout, std::chrono::minutes(5));
  EXPECT_THAT(outcome_.parked.goodbye, StartsWith("421 4.4.2 "));
}

TEST_F(Session, IncompleteLineIsParkedWithTheSession) {
  hello();
  EXPECT_EQ(talk("NO"), "");
  EXPECT_EQ(unread_, "NO");
  EXPECT_EQ(talk("OP\r\n"), "250 2.0.0 Ok\r\n");
}

TEST_F(Session, RecordOfAnotherVersionEndsTheSession) {
  hello();
  record_ = std::string("\xff\xff\0\0\0\0", 6);
  EXPECT_THAT(talk("NOOP\r\n"), StartsWith("421 "));
  EXPECT_FALSE(parked());
}

// --- AUTH

class AuthSession : public Session {
 protected:
  void SetUp() override {
    set("lmtp.require_auth=true");
    set("auth.plaintext_loopback=true");
    facts_.loopback = true;
    ASSERT_TRUE(auth::set_password(config_, user("mta"), auth::Secret("secret")));
    add_user("anna");
    EXPECT_THAT(talk(kHello), MatchesRegex(".*250-AUTH [^\r]*PLAIN.*"));
  }
  static std::string plain(std::string_view password) {
    return to_base64(std::string("\0mta\0", 5) + std::string(password));
  }
};

TEST_F(AuthSession, MailNeedsALogin) {
  EXPECT_EQ(codes("MAIL FROM:<>\r\nAUTH PLAIN " + plain("secret") + "\r\nMAIL FROM:<>\r\nRSET\r\n"),
            "530 235 250 250");
  EXPECT_EQ(codes(mail_to({"anna"})), "250 250 354 250");
  EXPECT_THAT(messages("user/anna")[0].bytes, HasSubstr("with LMTPA id"));
}

TEST_F(AuthSession, ResponseMayComeLater) {
  EXPECT_EQ(talk("AUTH PLAIN\r\n" + plain("secret") + "\r\n"),
            "334 \r\n235 2.7.0 Authenticated\r\n");
}

TEST_F(AuthSession, WrongPasswordIsToldLaterByPorter) {
  EXPECT_EQ(talk("AUTH PLAIN " + plain("wrong") + "\r\n"), "");
  ASSERT_TRUE(parked());
  EXPECT_EQ(outcome_.parked.not_before, std::chrono::milliseconds(1500));
  EXPECT_THAT(outcome_.parked.delayed_reply, StartsWith("535 5.7.8 "));
  EXPECT_EQ(codes("MAIL FROM:<>\r\n"), "530");
}

TEST_F(AuthSession, NonsenseIsRefused) {
  EXPECT_EQ(codes("AUTH\r\nAUTH NOSUCH\r\nAUTH PLAIN !\r\n"), "501 504 501");
}

TEST_F(AuthSession, UnixSocketsNeedNone) {
  facts_.peer_address.clear();
  connect();
  EXPECT_THAT(talk(kHello), Not(HasSubstr("AUTH")));
  EXPECT_EQ(codes("AUTH PLAIN\r\nMAIL FROM:<>\r\nRSET\r\n"), "502 250 250");
}

// --- Packets

TEST_F(Session, RepliesDontDependOnHowPacketsAreCut) {
  add_user("anna");
  std::string script =
      kHello + mail_to({"anna", "nobody"}, "..\r\na\r\n") +
      "MAIL FROM:<> BODY=BINARYMIME\r\nRCPT TO:<anna>\r\nBDAT 3 LAST\r\na\nbNOOP\r\n" +
      "VRFY x\r\nQUIT\r\n";
  open();
  const std::string whole = talk(script);
  const auto first = messages("user/anna");
  std::mt19937 random(7);
  for (int round = 0; round < 5; ++round) {
    messages("user/anna").clear();
    connect();
    std::string said;
    std::thread client([&] {
      for (std::size_t at = 0; at < script.size();) {
        const std::size_t n = round == 0 ? 1 : 1 + random() % 20;
        ASSERT_TRUE(write_all(peer_.get(), std::string_view(script).substr(at, n)));
        at += n;
      }
    });
    do said += serve();
    while (parked());
    client.join();
    EXPECT_EQ(said, whole);
    ASSERT_EQ(messages("user/anna").size(), first.size());
    for (std::size_t i = 0; i < first.size(); ++i) {
      const auto text = [](const std::string& m) { return m.substr(m.find(";\r\n\t")); };
      EXPECT_EQ(text(messages("user/anna")[i].bytes).size(), text(first[i].bytes).size());
    }
  }
}

}  // namespace
}  // namespace postern::lmtp
