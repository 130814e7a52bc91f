// Generated mail: its fields, and that nothing of a message or script can add one.
#include "sieve/compose.h"

#include <gtest/gtest.h>

namespace postern::sieve {
namespace {

Origin origin() { return {"anna@example.com", "<new@example.com>", 1'577'934'245, 60}; }

TEST(Compose, VacationReply) {
  Vacation action;
  action.to = "sender@example.org";
  action.from = "Anna Ä <anna@example.com>";
  action.subject = "Auto: Grüße";
  action.reason = "I'm away.\nBye";
  action.in_reply_to = "<m1@x>";
  action.references = "<m0@x> <m1@x>";
  EXPECT_EQ(compose_vacation(action, origin()),
            "Date: Thu, 02 Jan 2020 04:04:05 +0100\r\n"
            "Message-ID: <new@example.com>\r\n"
            "From: =?utf-8?Q?Anna_=C3=84?= <anna@example.com>\r\n"
            "To: <sender@example.org>\r\n"
            "Subject: =?utf-8?Q?Auto=3A_Gr=C3=BC=C3=9Fe?=\r\n"
            "In-Reply-To: <m1@x>\r\n"
            "References: <m0@x>\r\n <m1@x>\r\n"
            "Auto-Submitted: auto-replied\r\n"
            "MIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: 8bit\r\n"
            "\r\n"
            "I'm away.\r\nBye\r\n");
}

TEST(Compose, AMimeReasonBringsItsOwnHeader) {
  Vacation action;
  action.to = "sender@example.org";
  action.from = "anna@example.com";
  action.mime = true;
  action.reason = "Content-Type: text/html\r\n\r\n<b>away</b>\r\n";
  const auto mail = compose_vacation(action, origin());
  EXPECT_TRUE(mail.ends_with("MIME-Version: 1.0\r\n" + action.reason)) << mail;
}

TEST(Compose, ASubjectCannotAddFields) {
  Vacation action;
  action.to = "sender@example.org";
  action.from = "anna@example.com";
  action.subject = "x\r\nBcc: victim@example.net";
  const auto mail = compose_vacation(action, origin());
  EXPECT_EQ(mail.find("\nBcc:"), std::string::npos) << mail;
}

TEST(Compose, NotificationByMail) {
  Notify action;
  action.method = "mailto:a@example.net,b@example.net?cc=c@example.net&body=Look%20here&x=y";
  action.message = "boss wrote";
  action.message_given = true;
  action.importance = 1;
  EXPECT_EQ(compose_notification(action, origin()),
            "Auto-Submitted: auto-notified; owner-email=\"anna@example.com\"\r\n"
            "Date: Thu, 02 Jan 2020 04:04:05 +0100\r\n"
            "Message-ID: <new@example.com>\r\n"
            "From: <anna@example.com>\r\n"
            "To: a@example.net, b@example.net\r\n"
            "Cc: c@example.net\r\n"
            "Subject: boss wrote\r\n"
            "Importance: High\r\n"
            "MIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: 8bit\r\n"
            "\r\n"
            "Look here\r\n");
}

TEST(Compose, WithoutAMessageTheUriSubjectCountsThenTheMails) {
  Notify action;
  action.method = "mailto:a@example.net?subject=from%20the%20uri";
  action.subject = "of the mail";
  EXPECT_NE(compose_notification(action, origin()).find("Subject: from the uri\r\n"),
            std::string::npos);
  action.method = "mailto:a@example.net";
  EXPECT_NE(compose_notification(action, origin()).find("Subject: of the mail\r\n"),
            std::string::npos);
}

}  // namespace
}  // namespace postern::sieve
