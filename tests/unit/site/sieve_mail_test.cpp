// Generated mail: its fields, and that nothing of a message or script can add one.
#include "sieve/site/sieve_mail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/base/text.h"
#include "sieve/site/webhook.h"

namespace postern::site {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

const MailFacts kFacts{"anna@example.org", "mail.example.org", 0};

std::string notification(const sieve::Notify& notify) {
  return notification_mail(notify, sieve::parse_mailto(notify.method).value(), kFacts);
}

TEST(SieveMail, TextOfScriptsCantMakeFields) {
  sieve::Vacation reply;
  reply.to = "carl@example.net";
  reply.from = "\"Anna, A.\" <anna@example.org>";
  reply.subject = "a\r\nBcc: evil@example.net";
  reply.reason = std::string(1200, 'x') + "\n.\nend ";
  const std::string mail = vacation_mail(reply, kFacts);
  EXPECT_THAT(mail, StartsWith("From: \"Anna, A.\" <anna@example.org>\r\nTo: carl@example.net\r\n"
                               "Subject: a  Bcc: evil@example.net\r\n"));
  for (const auto line : split(mail, '\n')) EXPECT_LE(line.size(), 78U);
  EXPECT_THAT(mail, EndsWith("x=\r\n" + std::string(1200 % 73, 'x') + "\r\n.\r\nend=20\r\n"));
}

TEST(SieveMail, AVacationReplyRefersToItsMessage) {
  sieve::Vacation reply;
  reply.to = "carl@example.net";
  reply.from = "Anna \xC3\x84 <anna@example.org>";
  reply.subject =
      "Auto: Gr\xC3\xBC\xC3\x9F"
      "e";
  reply.in_reply_to = "<m1@x>";
  reply.references = "<m0@x> <m1@x>";
  const std::string mail = vacation_mail(reply, kFacts);
  for (const auto* line :
       {"From: =?utf-8?Q?Anna_=C3=84?= <anna@example.org>\r\n",
        "Subject: =?utf-8?Q?Auto=3A_Gr=C3=BC=C3=9Fe?=\r\n", "In-Reply-To: <m1@x>\r\n",
        "References: <m0@x>\r\n <m1@x>\r\n", "Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n"})
    EXPECT_THAT(mail, HasSubstr(line));
}

TEST(SieveMail, AMimeReasonBringsItsOwnHeader) {
  sieve::Vacation reply;
  reply.to = "carl@example.net";
  reply.mime = true;
  reply.reason = "Content-Type: text/html\r\n\r\n<b>away</b>\r\n";
  EXPECT_THAT(vacation_mail(reply, kFacts), EndsWith("MIME-Version: 1.0\r\n" + reply.reason));
}

TEST(SieveMail, ANotificationToSeveral) {
  sieve::Notify notify;
  notify.method = "mailto:a@example.net,b%40example.net?cc=c@example.net&body=Look%20here&from=e@f";
  notify.message = "boss wrote";
  notify.message_given = true;
  notify.importance = 1;
  const std::string mail = notification(notify);
  for (const auto* line : {"From: anna@example.org\r\n", "To: a@example.net,\r\n b@example.net\r\n",
                           "Cc: c@example.net\r\n", "Subject: boss wrote\r\n",
                           "Importance: high\r\n", "\r\n\r\nLook here\r\n"})
    EXPECT_THAT(mail, HasSubstr(line));
}

// RFC 5436 §2.7
TEST(SieveMail, WithoutAMessageTheUrisSubjectCountsThenTheMails) {
  sieve::Notify notify;
  notify.method = "mailto:a@example.net?subject=from%20the%20uri";
  notify.subject = "of the mail";
  EXPECT_THAT(notification(notify), HasSubstr("Subject: from the uri\r\n"));
  notify.method = "mailto:a@example.net";
  EXPECT_THAT(notification(notify), HasSubstr("Subject: of the mail\r\n"));
}

TEST(Webhook, OnlyBelowAPrefix) {
  const std::vector<std::string> prefixes{"https://hooks.example.org", "https://a.example/mail/"};
  for (const auto* url : {"https://hooks.example.org", "https://hooks.example.org/x?y=1",
                          "HTTPS://Hooks.Example.Org/x", "https://a.example/mail/anna"})
    EXPECT_TRUE(webhook_allowed(prefixes, url)) << url;
  for (const auto* url :
       {"http://hooks.example.org/", "https://hooks.example.org.evil.net/",
        "https://hooks.example.org:8443/", "https://hooks.example.org@evil.net/",
        "https://a.example/mail", "https://a.example/mail/../admin",
        "https://a.example/mail/%2E%2e/admin", "https://a.example/other", "file:///etc/passwd"})
    EXPECT_FALSE(webhook_allowed(prefixes, url)) << url;
}

TEST(Webhook, WhatTheServiceGets) {
  sieve::Notify notify;
  notify.message = "It \"came\" \xFF";
  notify.subject = "s";
  notify.importance = 1;
  notify.options = {"a=b=c"};
  EXPECT_EQ(webhook_json(notify, {"anna", "anna@example.org", ""}),
            R"({"user":"anna","recipient":"anna@example.org","sender":"","from":"",)"
            R"("subject":"s","message":"It \"came\" )"
            "\xEF\xBF\xBD"
            R"(","importance":1,"options":{"a":"b=c"}})");
}

}  // namespace
}  // namespace postern::site
