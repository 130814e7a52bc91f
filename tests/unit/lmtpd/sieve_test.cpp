// Scripts at delivery: what a session of the MTA leaves behind when a recipient has one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/text.h"
#include "lib/store/scripts.h"
#include "sieve/site/digest.h"
#include "sieve/site/sieve_mail.h"
#include "tests/unit/lmtpd/harness.h"

namespace postern::lmtp {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class SieveDelivery : public LmtpTest {
 protected:
  SieveDelivery() {
    std::filesystem::create_directory(folder_ + "/u");
    add_user("anna");
    add_user("bob");
    talk("LHLO client.example.org\r\n");
  }
  ~SieveDelivery() override { set_wall_micros_for_tests(0); }

  /// The active script of `name`.
  void script(std::string_view name, std::string_view text) {
    auto scripts = store::Scripts::of(config_, meta_->user(user(name), false).value());
    ASSERT_TRUE(scripts.put("main", text));
    ASSERT_TRUE(scripts.activate("main"));
  }
  void library(std::string_view name, std::string_view script, std::string_view text) {
    auto scripts = store::Scripts::of(config_, meta_->user(user(name), false).value());
    ASSERT_TRUE(scripts.put(script, text));
  }
  static std::string message(int number, std::string_view fields = "") {
    return "From: carl@example.net\r\nTo: anna@example.org\r\nSubject: report\r\nMessage-ID: <" +
           std::to_string(number) + "@example.net>\r\n" + std::string(fields) + "\r\nbody\r\n";
  }
  /// The replies behind the text, without their line ends.
  std::vector<std::string> deliver(const std::string& text,
                                   const std::vector<std::string>& recipients = {"anna"},
                                   const std::string& sender = "<carl@example.net>") {
    std::string out = "MAIL FROM:" + sender + "\r\n";
    for (const auto& one : recipients) out += "RCPT TO:<" + one + "@example.org>\r\n";
    const std::string said = talk(out + "DATA\r\n" + text + ".\r\n");
    std::vector<std::string> replies;
    for (const auto line : split(std::string_view(said).substr(said.find("354 ")), '\n'))
      if (!line.empty()) replies.emplace_back(line.substr(0, line.size() - 1));
    replies.erase(replies.begin());
    return replies;
  }
  std::size_t count(std::string_view name) { return messages(name).size(); }
};

TEST_F(SieveDelivery, FileintoWithFlagsTakesThePlaceOfInbox) {
  add_mailbox("user/anna/Lists");
  script("anna",
         "require [\"fileinto\", \"imap4flags\"]; if header :is \"subject\" \"report\" "
         "{ fileinto :flags [\"\\\\Seen\", \"$Work\"] \"Lists\"; }");
  EXPECT_THAT(deliver(message(1)), ElementsAre(StartsWith("250 2.1.5 Delivered")));
  EXPECT_EQ(count("user/anna"), 0U);
  ASSERT_EQ(count("user/anna/Lists"), 1U);
  EXPECT_EQ(messages("user/anna/Lists")[0].flags.system, store::flag::seen);
  EXPECT_THAT(messages("user/anna/Lists")[0].flags.keywords, ElementsAre("$Work"));
}

TEST_F(SieveDelivery, AllCopiesAndRecipientsAreOneCallOfTheStore) {
  add_mailbox("user/anna/Lists");
  script("anna", "require [\"fileinto\", \"copy\"]; fileinto :copy \"Lists\"; keep;");
  deliver(message(1), {"anna", "bob"});
  EXPECT_EQ(store::fake::state().deliver_calls, 1);
  EXPECT_EQ(count("user/anna") + count("user/anna/Lists") + count("user/bob"), 3U);
}

TEST_F(SieveDelivery, CreateMakesAMailboxAndSpecialUseAndIdFindOne) {
  script("anna", "require [\"fileinto\", \"mailbox\"]; fileinto :create \"New/Sub\";");
  deliver(message(1));
  EXPECT_EQ(count("user/anna/New/Sub"), 1U);
  script("anna",
         "require [\"fileinto\", \"special-use\"]; fileinto :specialuse \"\\\\Junk\" \"Nowhere\";");
  deliver(message(2));
  EXPECT_EQ(count("user/anna/Junk"), 1U);
  const auto id = meta_->lookup(mailbox("user/anna/Archive"))->id.hex();
  script("anna",
         "require [\"fileinto\", \"mailboxid\"]; fileinto :mailboxid \"" + id + "\" \"X\";");
  deliver(message(3));
  EXPECT_EQ(count("user/anna/Archive"), 1U);
}

TEST_F(SieveDelivery, WhatCantBeFiledIsKept) {
  add_mailbox("user/bob/Secret");
  add_mailbox("news", "lr");
  for (const std::string name : {"Missing", "Other Users/bob/Secret", "Shared Folders/news"}) {
    script("anna", "require \"fileinto\"; fileinto \"" + name + "\";");
    messages("user/anna").clear();
    EXPECT_THAT(deliver(message(1)), ElementsAre(StartsWith("250"))) << name;
    EXPECT_EQ(count("user/anna"), 1U) << name;
  }
  EXPECT_EQ(count("user/bob/Secret") + count("news"), 0U);
  script("anna", "require [\"fileinto\", \"mailbox\"]; fileinto :create \"Other Users/bob/New\";");
  deliver(message(2));
  EXPECT_FALSE(meta_->lookup(mailbox("user/bob/New")));
}

TEST_F(SieveDelivery, RightPOpensAMailboxOfOthers) {
  const auto news = add_mailbox("news", "lrp");
  script("anna", "require \"fileinto\"; fileinto \"Shared Folders/news\";");
  deliver(message(1));
  EXPECT_EQ(messages(news).size(), 1U);
}

TEST_F(SieveDelivery, AutocreateMakesWhatFileintoNames) {
  set("sieve.autocreate=true");
  open();
  talk("LHLO client.example.org\r\n");
  script("anna", "require \"fileinto\"; fileinto \"Lists/dev\";");
  deliver(message(1));
  EXPECT_EQ(count("user/anna/Lists/dev"), 1U);
}

TEST_F(SieveDelivery, DiscardIsAcceptedAndStoresNothing) {
  script("anna", "discard;");
  EXPECT_THAT(deliver(message(1), {"anna", "bob"}),
              ElementsAre(StartsWith("250 2.1.5 Accepted"), StartsWith("250 2.1.5 Delivered")));
  EXPECT_EQ(count("user/anna"), 0U);
  EXPECT_EQ(count("user/bob"), 1U);
}

TEST_F(SieveDelivery, RejectIsA550OfThatRecipientAlone) {
  script("anna", "require \"reject\"; reject text:\r\nNo birdseed,\r\nplease.\r\n.\r\n;");
  EXPECT_THAT(deliver(message(1), {"anna", "bob"}),
              ElementsAre("550-5.7.1 No birdseed,", "550 5.7.1 please.",
                          StartsWith("250 2.1.5 Delivered")));
  EXPECT_EQ(count("user/anna"), 0U);
  EXPECT_TRUE(submitter_.sent.empty());
}

// RFC 5429 §2.1.1, §2.2: reject's reason goes out in full, ereject's isn't worth a mail.
TEST_F(SieveDelivery, ReasonsInUtf8) {
  script("anna", "require \"ereject\"; ereject \"N\xC3\xB6.\";");
  EXPECT_THAT(deliver(message(1)), ElementsAre(StartsWith("550 5.7.1 The message was refused")));
  script("anna", "require \"reject\"; reject \"N\xC3\xB6.\";");
  EXPECT_THAT(deliver(message(2), {"anna"}, "<carl@example.net> SMTPUTF8"),
              ElementsAre("550 5.7.1 N\xC3\xB6."));
  EXPECT_THAT(deliver(message(3)), ElementsAre(StartsWith("250 2.1.5 Accepted")));
  ASSERT_EQ(submitter_.sent.size(), 1U);
  EXPECT_EQ(submitter_.sent[0].sender, "");
  EXPECT_THAT(submitter_.sent[0].recipients, ElementsAre("carl@example.net"));
  EXPECT_THAT(submitter_.sent[0].message, HasSubstr("N=C3=B6."));
  EXPECT_THAT(submitter_.sent[0].message, HasSubstr("Subject: report\r\n"));
  EXPECT_THAT(deliver(message(4), {"anna"}, "<>"), ElementsAre(StartsWith("550 5.7.1 ")));
  EXPECT_EQ(count("user/anna"), 0U);
}

TEST_F(SieveDelivery, RedirectGoesOutOnceWithTheSenderOfTheMessage) {
  script("anna", "redirect \"dora@example.com\";");
  EXPECT_THAT(deliver(message(1)), ElementsAre(StartsWith("250 2.1.5 Accepted")));
  ASSERT_EQ(submitter_.sent.size(), 1U);
  const site::Submission& mail = submitter_.sent[0];
  EXPECT_EQ(mail.sender, "carl@example.net");
  EXPECT_THAT(mail.recipients, ElementsAre("dora@example.com"));
  EXPECT_THAT(mail.message, StartsWith("X-Sieve-Redirected-From: anna@example.org\r\n"));
  EXPECT_THAT(mail.message, HasSubstr("\r\nReceived: from client.example.org"));
  EXPECT_THAT(mail.message, Not(HasSubstr("Return-Path")));
  EXPECT_THAT(mail.message, EndsWith("\r\n" + message(1)));
  EXPECT_EQ(count("user/anna"), 0U);
  deliver(message(1));
  EXPECT_EQ(submitter_.sent.size(), 1U) << "the MTA's next try sends nothing again";
  deliver(message(2));
  EXPECT_EQ(submitter_.sent.size(), 2U);
  deliver(message(3, "X-Sieve-Redirected-From: anna@example.org\r\n"));
  EXPECT_EQ(submitter_.sent.size(), 2U) << "a loop ends here";
  EXPECT_EQ(count("user/anna"), 1U);
}

TEST_F(SieveDelivery, MailThatCantBeSentNowFailsThatRecipientWhole) {
  add_mailbox("user/anna/Lists");
  script("anna",
         "require [\"fileinto\", \"copy\"]; redirect :copy \"one@example.com\"; "
         "fileinto \"Lists\";");
  submitter_.failing = Errc::unavailable;
  EXPECT_THAT(deliver(message(1), {"anna", "bob"}),
              ElementsAre(StartsWith("451 4.3.0 "), StartsWith("250 2.1.5 Delivered")));
  EXPECT_EQ(count("user/anna/Lists") + count("user/anna"), 0U);
  EXPECT_EQ(count("user/bob"), 1U);
  submitter_.failing.reset();
  EXPECT_THAT(deliver(message(1)), ElementsAre(StartsWith("250 2.1.5 Delivered")));
  EXPECT_EQ(submitter_.sent.size(), 1U);
  EXPECT_EQ(count("user/anna/Lists"), 1U);
}

TEST_F(SieveDelivery, WhatWasSentIsNotSentAgainWhenTheStoreFailed) {
  script("anna", "require \"copy\"; redirect :copy \"one@example.com\";");
  const auto inbox = meta_->lookup(mailbox("user/anna")).value();
  store::fake::state().failing[inbox.id] = Errc::io;
  EXPECT_THAT(deliver(message(1)), ElementsAre(StartsWith("451 ")));
  store::fake::state().failing.clear();
  EXPECT_THAT(deliver(message(1)), ElementsAre(StartsWith("250 2.1.5 Delivered")));
  EXPECT_EQ(submitter_.sent.size(), 1U);
  EXPECT_EQ(count("user/anna"), 1U);
}

TEST_F(SieveDelivery, ARedirectThatIsRefusedForGoodIsKept) {
  script("anna", "redirect \"gone@example.com\";");
  submitter_.failing = Errc::no_permission;
  EXPECT_THAT(deliver(message(1)), ElementsAre(StartsWith("250 2.1.5 Delivered")));
  EXPECT_EQ(count("user/anna"), 1U);
}

TEST_F(SieveDelivery, ARedirectThatIsRefusedForGoodLeavesTheOtherCopies) {
  add_mailbox("user/anna/Lists");
  script("anna", "require [\"fileinto\"]; fileinto \"Lists\"; redirect \"gone@example.com\";");
  submitter_.failing = Errc::no_permission;
  EXPECT_THAT(deliver(message(1)), ElementsAre(StartsWith("250 2.1.5 Delivered")));
  EXPECT_EQ(count("user/anna/Lists"), 1U);
  EXPECT_EQ(count("user/anna"), 1U) << "and the message is kept";
  script("anna", "require \"copy\"; redirect :copy \"gone@example.com\";");
  deliver(message(2));
  EXPECT_EQ(count("user/anna"), 2U) << "one copy, not two";
}

// RFC 6009 §5, §6
TEST_F(SieveDelivery, ParametersOfRedirectGoToTheMta) {
  script("anna",
         "require [\"redirect-dsn\", \"redirect-deliverby\"]; redirect :notify "
         "\"FAILURE,DELAY\" :ret \"HDRS\" :bytimerelative 600 :bymode \"notify\" :bytrace "
         "\"dora@example.com\";");
  deliver(message(1));
  const auto& options = submitter_.sent.at(0).options;
  EXPECT_EQ(options.notify, "FAILURE,DELAY");
  EXPECT_EQ(options.ret, "HDRS");
  EXPECT_EQ(options.deliver_by, 600);
  EXPECT_EQ(options.by_mode, 'N');
  EXPECT_TRUE(options.by_trace);
}

TEST_F(SieveDelivery, VacationAnswersEachSenderOnceInItsPeriod) {
  script("anna", "require \"vacation\"; vacation :days 3 :subject \"Away\" \"Back s\xC3\xB6on.\";");
  deliver(message(1));
  ASSERT_EQ(submitter_.sent.size(), 1U);
  const site::Submission& reply = submitter_.sent[0];
  EXPECT_EQ(reply.sender, "");
  EXPECT_THAT(reply.recipients, ElementsAre("carl@example.net"));
  for (const auto line :
       {"From: anna@example.org\r\n", "To: carl@example.net\r\n", "Subject: Away\r\n",
        "In-Reply-To: <1@example.net>\r\n", "Auto-Submitted: auto-replied", "Back s=C3=B6on."})
    EXPECT_THAT(reply.message, HasSubstr(line));
  EXPECT_EQ(count("user/anna"), 1U);
  deliver(message(2));
  EXPECT_EQ(submitter_.sent.size(), 1U);
  deliver(message(3), {"anna"}, "<dora@example.net>");
  EXPECT_EQ(submitter_.sent.size(), 2U);
  set_wall_micros_for_tests(wall_micros() + 3 * 86'400'000'000 + 1'000'000);
  deliver(message(4));
  EXPECT_EQ(submitter_.sent.size(), 3U);
  EXPECT_EQ(count("user/anna"), 4U);
}

TEST_F(SieveDelivery, VacationIsNotMarkedWhenTheDeliveryFailed) {
  script("anna", "require \"vacation\"; vacation \"Away.\";");
  const auto inbox = meta_->lookup(mailbox("user/anna")).value();
  store::fake::state().failing[inbox.id] = Errc::io;
  deliver(message(1));
  store::fake::state().failing.clear();
  deliver(message(2));
  EXPECT_EQ(submitter_.sent.size(), 2U) << "the first one's period never began";
}

TEST_F(SieveDelivery, WithoutAnMtaMailIsDeliveredWithoutReplyAndNothingIsLostByRedirect) {
  submitter_.is_configured = false;
  submitter_.failing = Errc::unavailable;
  script("anna", "require \"vacation\"; vacation \"Away.\";");
  EXPECT_THAT(deliver(message(1)), ElementsAre(StartsWith("250 2.1.5 Delivered")));
  script("anna", "redirect \"dora@example.com\";");
  EXPECT_THAT(deliver(message(2)), ElementsAre(StartsWith("451 ")));
}

TEST_F(SieveDelivery, AReplyIsFiledWhereFccSays) {
  script("anna",
         "require [\"vacation\", \"fcc\", \"imap4flags\"]; "
         "vacation :fcc \"Sent\" :flags \"\\\\Seen\" \"Away.\";");
  deliver(message(1));
  ASSERT_EQ(count("user/anna/Sent"), 1U);
  EXPECT_EQ(messages("user/anna/Sent")[0].bytes, submitter_.sent.at(0).message);
  EXPECT_EQ(messages("user/anna/Sent")[0].flags.system, store::flag::seen);
}

TEST_F(SieveDelivery, WhatWasSentIsFiledOnce) {
  script("anna",
         "require [\"enotify\", \"fcc\"]; "
         "notify :fcc \"Sent\" :message \"a\" \"mailto:pager@example.com\"; "
         "notify :fcc \"Sent\" :message \"b\" \"mailto:pager@example.com\";");
  deliver(message(1));
  EXPECT_EQ(submitter_.sent.size(), 2U) << "two notifications to one address";
  EXPECT_EQ(count("user/anna/Sent"), 2U);
  deliver(message(1));
  EXPECT_EQ(submitter_.sent.size(), 2U) << "the MTA's next try";
  EXPECT_EQ(count("user/anna/Sent"), 2U);
}

TEST_F(SieveDelivery, AWebhookThatIsNotConfiguredIsLeftOut) {
  script("anna",
         "require [\"enotify\", \"imap4flags\"]; "
         "if valid_notify_method \"https://hooks.example.com/\" { addflag \"valid\"; }"
         "if valid_notify_method \"log:\" { addflag \"log\"; }"
         "notify \"https://hooks.example.com/x\";");
  EXPECT_THAT(deliver(message(1)), ElementsAre(StartsWith("250 2.1.5 Delivered")));
  EXPECT_THAT(messages("user/anna").at(0).flags.keywords, ElementsAre("log"));
}

TEST_F(SieveDelivery, NotifySendsMailAndWritesTheLog) {
  script("anna",
         "require \"enotify\"; notify :importance \"1\" :message \"You have\r\nmail\" "
         "\"mailto:pager@example.com?body=see%20it\"; notify \"log:\";");
  deliver(message(1));
  ASSERT_EQ(submitter_.sent.size(), 1U);
  EXPECT_THAT(submitter_.sent[0].recipients, ElementsAre("pager@example.com"));
  EXPECT_EQ(submitter_.sent[0].sender, "anna@example.org");
  for (const auto line : {"Subject: You have  mail\r\n", "Importance: high\r\n", "\r\n\r\nsee it",
                          "Auto-Submitted: auto-notified; owner-email=\"anna@example.org\"\r\n"})
    EXPECT_THAT(submitter_.sent[0].message, HasSubstr(line));
  EXPECT_EQ(count("user/anna"), 1U);
}

TEST_F(SieveDelivery, DuplicateIsMarkedOnceTheDeliveryIsDone) {
  script("anna",
         "require [\"duplicate\", \"fileinto\"]; "
         "if duplicate :header \"X-Id\" { fileinto \"Trash\"; }");
  const auto inbox = meta_->lookup(mailbox("user/anna")).value();
  store::fake::state().failing[inbox.id] = Errc::io;
  deliver(message(1, "X-Id: 7\r\n"));
  store::fake::state().failing.clear();
  deliver(message(2, "X-Id: 7\r\n"));
  EXPECT_EQ(count("user/anna"), 1U);
  deliver(message(3, "X-Id: 7\r\n"));
  EXPECT_EQ(count("user/anna/Trash"), 1U);
}

TEST_F(SieveDelivery, EveryErrorOfAScriptKeepsTheMessageAsItCame) {
  for (const std::string text :
       {"require \"fileinto\"; fileinto \"Trash\"; bad syntax",
        "require [\"variables\", \"editheader\"]; addheader \"X-A\" \"b\"; redirect \"${x}\";",
        "require [\"vnd.dovecot.pipe\", \"editheader\"]; addheader \"X-A\" \"b\"; pipe \"x\";",
        "require [\"include\"]; include \"missing\";"}) {
    script("anna", text);
    messages("user/anna").clear();
    EXPECT_THAT(deliver(message(1)), ElementsAre(StartsWith("250 2.1.5 Delivered"))) << text;
    ASSERT_EQ(count("user/anna"), 1U) << text;
    EXPECT_TRUE(messages("user/anna")[0].bytes.ends_with("\r\n" + message(1))) << text;
    EXPECT_THAT(messages("user/anna")[0].bytes, Not(HasSubstr("X-A"))) << text;
  }
  EXPECT_TRUE(submitter_.sent.empty());
}

TEST_F(SieveDelivery, PipeGivesTheMessageToAProgramOnce) {
  set("sieve.program_directory=" + folder_);
  programs_ = site::Programs::from(config_);
  const std::string program = folder_ + "/learn";
  ASSERT_TRUE(replace_file(program, "#!/bin/sh\ncat >> " + folder_ + "/out; exit $1\n"));
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  script("anna",
         "require [\"vnd.dovecot.pipe\", \"editheader\"]; addheader \"X-A\" \"b\"; "
         "pipe \"learn\" \"0\";");
  EXPECT_THAT(deliver(message(1)), ElementsAre(StartsWith("250 2.1.5 Accepted")));
  EXPECT_THAT(deliver(message(1)), ElementsAre(StartsWith("250 2.1.5 Accepted")));  // tried again
  EXPECT_EQ(count("user/anna"), 0U);
  const std::string out = read_file(folder_ + "/out").value();
  EXPECT_THAT(out, HasSubstr("X-A: b\r\n"));
  EXPECT_EQ(out.find("Message-ID"), out.rfind("Message-ID"));
  script("anna", "require \"vnd.dovecot.pipe\"; pipe \"learn\" \"1\";");
  EXPECT_THAT(deliver(message(2)), ElementsAre(StartsWith("250 2.1.5 Delivered")));
  EXPECT_EQ(count("user/anna"), 1U);
  script("anna",
         "require [\"vnd.dovecot.pipe\", \"copy\", \"fileinto\"]; "
         "pipe :copy :try \"learn\" \"1\"; fileinto \"Trash\";");
  deliver(message(3));
  EXPECT_EQ(count("user/anna"), 1U);
  EXPECT_EQ(count("user/anna/Trash"), 1U);
}

TEST_F(SieveDelivery, SnoozedMailIsNotedBeforeItIsStored) {
  set_wall_micros_for_tests(std::int64_t{1'700'000'000} * 1'000'000);  // 2023-11-14 22:13:20 UTC
  script("anna",
         "require [\"snooze\", \"imap4flags\"]; "
         "snooze :tzid \"UTC\" :addflags \"\\\\Flagged\" :mailbox \"Archive\" \"08:00\";");
  EXPECT_THAT(deliver(message(1)), ElementsAre(StartsWith("250 2.1.5 Delivered")));
  EXPECT_EQ(count("user/anna"), 0U);
  ASSERT_EQ(count("user/anna/Snoozed"), 1U);
  const auto asleep = meta_->lookup(mailbox("user/anna/Snoozed")).value();
  EXPECT_EQ(asleep.special_use, "\\Snoozed");
  const auto noted = meta_->snoozed(std::int64_t{1} << 40, 10).value();
  ASSERT_EQ(noted.size(), 1U);
  EXPECT_EQ(noted[0].until, 1'700'035'200);
  EXPECT_EQ(noted[0].mailbox, asleep.id);
  EXPECT_EQ(noted[0].guid, site::guid_of(messages("user/anna/Snoozed")[0].bytes));
  EXPECT_EQ(noted[0].target, "Archive");
  EXPECT_THAT(noted[0].add_flags, ElementsAre("\\Flagged"));
  EXPECT_EQ(noted[0].user, user("anna"));
}

TEST_F(SieveDelivery, EditedMessagesAreStoredBesideTheOriginal) {
  script("anna",
         "require [\"fileinto\", \"editheader\", \"copy\"]; fileinto :copy \"Archive\"; "
         "addheader \"X-Seen-By\" \"sieve\"; keep;");
  deliver(message(1), {"anna", "bob"});
  ASSERT_EQ(count("user/anna"), 1U);
  EXPECT_THAT(messages("user/anna")[0].bytes, HasSubstr("X-Seen-By: sieve\r\n"));
  EXPECT_THAT(messages("user/anna/Archive").at(0).bytes, Not(HasSubstr("X-Seen-By")));
  EXPECT_THAT(messages("user/bob").at(0).bytes, Not(HasSubstr("X-Seen-By")));
  EXPECT_EQ(store::fake::state().deliver_calls, 2);
}

TEST_F(SieveDelivery, ScriptsSeeTheDetailAndKeepGoesToItsMailbox) {
  add_mailbox("user/anna/Lists", "p");
  script("anna",
         "require [\"envelope\", \"subaddress\", \"imap4flags\"]; "
         "if envelope :detail \"to\" \"Lists\" { addflag \"\\\\Flagged\"; }");
  deliver(message(1), {"anna+Lists"});
  ASSERT_EQ(count("user/anna/Lists"), 1U);
  EXPECT_EQ(messages("user/anna/Lists")[0].flags.system, store::flag::flagged);
}

TEST_F(SieveDelivery, ScriptsSeeTheParametersOfTheEnvelope) {
  script("anna",
         "require [\"envelope\", \"envelope-dsn\", \"fileinto\", \"mailbox\"];"
         "if envelope \"ret\" \"FULL\" { fileinto :create \"ret\"; }"
         "if envelope \"envid\" \"a+b\" { fileinto :create \"envid\"; }"
         "if envelope :all \"auth\" \"carl@example.net\" { fileinto :create \"auth\"; }");
  deliver(message(1), {"anna"}, "<carl@example.net> RET=full ENVID=a+2Bb AUTH=carl+40example.net");
  for (const std::string name : {"ret", "envid", "auth"})
    EXPECT_EQ(count("user/anna/" + name), 1U) << name;
  deliver(message(2), {"anna"}, "<carl@example.net> AUTH=<>");
  EXPECT_EQ(count("user/anna"), 1U);
}

TEST_F(SieveDelivery, ScriptsAskForMailboxesAndAnnotations) {
  add_mailbox("user/bob/Secret");
  ASSERT_TRUE(meta_->set_annotations(mailbox("user/anna"), {{{}, "/shared/comment", "yes"}}, 10));
  script("anna",
         "require [\"mailbox\", \"mboxmetadata\", \"special-use\", \"imap4flags\"];"
         "if mailboxexists \"Junk\" { addflag \"a\"; }"
         "if mailboxexists \"Other Users/bob/Secret\" { addflag \"b\"; }"
         "if metadata \"INBOX\" \"/shared/comment\" \"yes\" { addflag \"c\"; }"
         "if specialuse_exists \"\\\\Trash\" { addflag \"d\"; }"
         "if specialuse_exists \"Trash\" \"\\\\Junk\" { addflag \"e\"; }");
  deliver(message(1));
  EXPECT_THAT(messages("user/anna").at(0).flags.keywords, ElementsAre("a", "c", "d"));
}

TEST_F(SieveDelivery, ScriptsSeeScoresListsAndTheRemoteHost) {
  ASSERT_TRUE(replace_file(folder_ + "/partners", "@example.net\n"));
  set("sieve.spamtest_field=X-Spam-Score");
  set("sieve.list.partners.file=" + folder_ + "/partners");
  set("sieve.list.partners.name=tag:example.org,2026:partners");
  open();
  talk("LHLO client.example.org\r\n");
  auto scripts = store::Scripts::of(config_, meta_->user(user("anna"), false).value());
  ASSERT_TRUE(scripts.put_address_book("carl@example.net\n"));
  script("anna",
         "require [\"spamtestplus\", \"extlists\", \"environment\", \"imap4flags\"];"
         "if spamtest :percent :is \"80\" { addflag \"spam\"; }"
         "if header :list \"from\" \":addrbook:default\" { addflag \"friend\"; }"
         "if address :list \"from\" \"tag:example.org,2026:partners\" { addflag \"partner\"; }"
         "if environment \"remote-ip\" \"192.0.2.9\" { addflag \"ip\"; }"
         "if environment \"remote-host\" \"mx.example.net\" { addflag \"host\"; }");
  deliver("Received: from x (mx.example.net [192.0.2.9]) by mta\r\n" +
          message(1, "X-Spam-Score: 8\r\n"));
  EXPECT_THAT(messages("user/anna").at(0).flags.keywords,
              ElementsAre("spam", "friend", "partner", "ip", "host"));
}

TEST_F(SieveDelivery, IncludesComeFromTheUserAndTheSite) {
  const std::string site = folder_ + "/site";
  std::filesystem::create_directory(site);
  ASSERT_TRUE(replace_file(site + "/common.sieve", "require \"imap4flags\"; addflag \"global\";"));
  set("sieve.global_directory=" + site);
  open();
  talk("LHLO client.example.org\r\n");
  library("anna", "mine", "require \"imap4flags\"; addflag \"personal\";");
  script("anna",
         "require \"include\"; include :global \"common\"; include :personal \"mine\"; "
         "include :optional :global \"missing\";");
  deliver(message(1));
  EXPECT_THAT(messages("user/anna").at(0).flags.keywords, ElementsAre("global", "personal"));
}

TEST_F(SieveDelivery, TheDefaultScriptServesThoseWithoutAnActiveOne) {
  ASSERT_TRUE(replace_file(folder_ + "/default.sieve", "require \"fileinto\"; fileinto \"Junk\";"));
  set("sieve.default_script=" + folder_ + "/default.sieve");
  open();
  talk("LHLO client.example.org\r\n");
  script("anna", "keep;");
  deliver(message(1), {"anna", "bob"});
  EXPECT_EQ(count("user/anna"), 1U);
  EXPECT_EQ(count("user/bob/Junk"), 1U);
  const auto scripts = store::Scripts::of(config_, meta_->user(user("anna"), false).value());
  const auto folder = std::filesystem::path(scripts.address_book()).parent_path();
  ASSERT_TRUE(std::filesystem::remove(folder / "main.sieve"));  // the active one is gone
  deliver(message(2));
  EXPECT_EQ(count("user/anna/Junk"), 1U);
}

TEST_F(SieveDelivery, AChangedScriptCountsAtOnce) {
  script("anna", "discard;");
  deliver(message(1));
  EXPECT_EQ(count("user/anna"), 0U);
  script("anna", "keep;");
  deliver(message(2));
  EXPECT_EQ(count("user/anna"), 1U);
}

}  // namespace
}  // namespace postern::lmtp
