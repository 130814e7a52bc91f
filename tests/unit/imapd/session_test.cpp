// What a client sees, command by command, over a real store; each session is parked after every
// command (live.h).
#include "imapd/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/store/check.h"
#include "tests/unit/imapd/live.h"

namespace postern::imap {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class SessionTest : public testing::Test {
 protected:
  void fill(std::string_view mailbox, int count) {
    Client anna(server, "anna");
    for (int i = 1; i <= count; ++i)
      ASSERT_THAT(anna.run(append(mailbox, i)), HasSubstr("APPENDUID"));
  }
  LiveServer server;
};

TEST_F(SessionTest, CapabilitiesDependOnTheState) {
  Client client(server);
  const std::string before = client.run("CAPABILITY");
  EXPECT_THAT(before, StartsWith("* CAPABILITY IMAP4rev1 LITERAL- "));
  EXPECT_THAT(before, HasSubstr(" AUTH=PLAIN"));
  EXPECT_THAT(before, Not(HasSubstr("UIDPLUS")));
  const std::string after = Client(server, "anna").run("CAPABILITY");
  EXPECT_THAT(after, HasSubstr(" UIDPLUS "));
  EXPECT_THAT(after, Not(HasSubstr("AUTH=")));
}

TEST_F(SessionTest, WrongPasswordsAreRefusedLater) {
  Client client(server);
  EXPECT_EQ(client.run("LOGIN anna wrong"),
            "TAG NO [AUTHENTICATIONFAILED] Authentication failed\r\n");
  EXPECT_EQ(client.outcome().parked.not_before.count(), 7);
  EXPECT_THAT(client.run("LOGIN anna pass"), StartsWith("TAG OK [CAPABILITY IMAP4rev1"));
}

TEST_F(SessionTest, AuthenticatePlainWithAndWithoutInitialResponse) {
  Client client(server);  // NUL anna NUL pass
  EXPECT_THAT(client.run("AUTHENTICATE PLAIN AGFubmEAcGFzcw=="), StartsWith("TAG OK"));
  Client two(server);
  EXPECT_THAT(two.send("a AUTHENTICATE PLAIN\r\nAGFubmEAcGFzcw==\r\n"),
              testing::AllOf(StartsWith("+ \r\na OK")));
  Client three(server);
  EXPECT_THAT(three.send("a AUTHENTICATE PLAIN\r\n*\r\n"), StartsWith("+ \r\na BAD"));
  Client admin(server);  // bob NUL admin NUL pass
  EXPECT_THAT(admin.run("AUTHENTICATE PLAIN Ym9iAGFkbWluAHBhc3M="), StartsWith("TAG OK"));
}

TEST_F(SessionTest, CommandsOutOfTheirStateAreBad) {
  Client client(server);
  EXPECT_THAT(client.run("SELECT INBOX"), StartsWith("TAG BAD Log in first"));
  EXPECT_THAT(client.run("NONSENSE"), StartsWith("TAG BAD Unknown command"));
  EXPECT_THAT(client.send("\r\n"), StartsWith("* BAD"));
  EXPECT_THAT(Client(server, "anna").run("FETCH 1 FLAGS"), StartsWith("TAG BAD Select"));
}

TEST_F(SessionTest, TooManyMistakesEndTheSession) {
  Client client(server);
  for (int i = 0; i < 49; ++i) client.run("NONSENSE");
  EXPECT_FALSE(client.ended());
  EXPECT_THAT(client.run("NONSENSE"), HasSubstr("* BYE Too many mistakes"));
  EXPECT_TRUE(client.ended());
}

TEST_F(SessionTest, SelectTellsTheMailbox) {
  fill("INBOX", 3);
  Client anna(server, "anna");
  const std::string answer = anna.run("SELECT INBOX");
  EXPECT_THAT(answer, HasSubstr("* 3 EXISTS\r\n* 3 RECENT\r\n* OK [UNSEEN 1]"));
  EXPECT_THAT(answer, HasSubstr("* OK [UIDNEXT 4]"));
  EXPECT_THAT(answer, HasSubstr("* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft)"));
  EXPECT_THAT(answer, HasSubstr("\\*)]"));
  EXPECT_THAT(answer, EndsWith("TAG OK [READ-WRITE] SELECT completed\r\n"));
  // \Recent belongs to the first session alone.
  EXPECT_THAT(Client(server, "anna").run("SELECT INBOX"), HasSubstr("* 0 RECENT"));
  EXPECT_THAT(anna.run("FETCH 1 FLAGS"), StartsWith("* 1 FETCH (FLAGS (\\Recent))\r\n"));
  EXPECT_THAT(anna.run("EXAMINE INBOX"), HasSubstr("TAG OK [READ-ONLY] EXAMINE completed"));
  EXPECT_THAT(anna.run("STORE 1 FLAGS (\\Seen)"), StartsWith("TAG NO [NOPERM]"));
  EXPECT_THAT(anna.run("SELECT nowhere"), StartsWith("TAG NO [NONEXISTENT]"));
  EXPECT_THAT(anna.run("FETCH 1 FLAGS"), StartsWith("TAG BAD"));
}

TEST_F(SessionTest, FetchGivesWhatWasAppended) {
  fill("INBOX", 1);
  Client anna(server, "anna");
  anna.run("SELECT INBOX");
  const std::string octets = message(1);
  EXPECT_EQ(anna.run("FETCH 1 (UID RFC822.SIZE BODY.PEEK[])"),
            fmt::format("* 1 FETCH (UID 1 RFC822.SIZE {0} BODY[] {{{0}}}\r\n{1})\r\n"
                        "TAG OK FETCH completed\r\n",
                        octets.size(), octets));
  EXPECT_THAT(anna.run("FETCH 1 ENVELOPE"),
              StartsWith("* 1 FETCH (ENVELOPE (\"Mon, 02 Jan 2024 12:00:00 +0000\" \"message 1\" "
                         "((\"Sender 1\" NIL \"sender1\" \"example.org\"))"));
  EXPECT_THAT(anna.run("FETCH 1 BODYSTRUCTURE"),
              StartsWith("* 1 FETCH (BODYSTRUCTURE (\"TEXT\" \"PLAIN\""));
  EXPECT_THAT(anna.run("FETCH 1 BODY.PEEK[HEADER.FIELDS (Subject X-None)]"),
              StartsWith("* 1 FETCH (BODY[HEADER.FIELDS (Subject X-None)] {22}\r\n"
                         "Subject: message 1\r\n\r\n)\r\n"));
  EXPECT_THAT(anna.run("FETCH 1 BODY.PEEK[TEXT]<2.3>"),
              StartsWith("* 1 FETCH (BODY[TEXT]<2> {3}\r\ndy )\r\n"));
  EXPECT_THAT(anna.run("FETCH 1 BODY.PEEK[9]"), StartsWith("* 1 FETCH (BODY[9] NIL)"));
  EXPECT_THAT(anna.run("UID FETCH 1 INTERNALDATE"), StartsWith("* 1 FETCH (UID 1 INTERNALDATE \""));
  EXPECT_THAT(anna.run("FETCH 2 FLAGS"), StartsWith("TAG BAD there is no message 2"));
  EXPECT_EQ(anna.run("UID FETCH 7 FLAGS"), "TAG OK UID FETCH completed\r\n");
}

TEST_F(SessionTest, ReadingABodyMarksItSeen) {
  fill("INBOX", 2);
  Client anna(server, "anna");
  anna.run("SELECT INBOX");
  EXPECT_THAT(anna.run("FETCH 1 BODY[TEXT]"), HasSubstr("FLAGS (\\Seen \\Recent))\r\nTAG OK"));
  EXPECT_THAT(anna.run("FETCH 1 BODY[TEXT]"), Not(HasSubstr("FLAGS")));
  anna.run("EXAMINE INBOX");
  EXPECT_THAT(anna.run("FETCH 2 BODY[TEXT]"), Not(HasSubstr("FLAGS")));
}

TEST_F(SessionTest, StoreChangesFlagsAndOthersAreTold) {
  fill("INBOX", 3);
  Client anna(server, "anna");
  Client other(server, "anna");
  anna.run("SELECT INBOX");
  other.run("SELECT INBOX");
  EXPECT_EQ(anna.run("STORE 1:2 +FLAGS (\\Flagged $Work)"),
            "* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $Work)\r\n"
            "* OK [PERMANENTFLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $Work \\*)] Flags "
            "that can be set\r\n"
            "* 1 FETCH (FLAGS (\\Flagged \\Recent $Work))\r\n"
            "* 2 FETCH (FLAGS (\\Flagged \\Recent $Work))\r\nTAG OK STORE completed\r\n");
  EXPECT_THAT(other.run("NOOP"), HasSubstr("* 2 FETCH (UID 2 FLAGS (\\Flagged $Work))"));
  EXPECT_EQ(anna.run("STORE 1 -FLAGS.SILENT (\\Flagged)"), "TAG OK STORE completed\r\n");
  EXPECT_THAT(anna.run("FETCH 1 FLAGS"), StartsWith("* 1 FETCH (FLAGS (\\Recent $Work))"));
  EXPECT_THAT(anna.run("STORE 1 FLAGS (\\Recent)"), StartsWith("TAG BAD"));
}

TEST_F(SessionTest, ExpungesAreHeldBackWhileSequenceNumbersAreInFlight) {
  fill("INBOX", 3);
  Client anna(server, "anna");
  Client other(server, "anna");
  anna.run("SELECT INBOX");
  other.run("SELECT INBOX");
  EXPECT_EQ(anna.run("STORE 1 +FLAGS.SILENT (\\Deleted)"), "TAG OK STORE completed\r\n");
  EXPECT_EQ(anna.run("EXPUNGE"), "* 1 EXPUNGE\r\nTAG OK EXPUNGE completed\r\n");
  EXPECT_THAT(other.run("FETCH 1:3 UID"),
              StartsWith("* 1 FETCH (UID 1)\r\n* 2 FETCH (UID 2)\r\n* 3 FETCH (UID 3)\r\n"));
  EXPECT_THAT(other.run("SEARCH ALL"), HasSubstr("* SEARCH 1 2 3\r\n"));
  EXPECT_THAT(other.run("NOOP"), HasSubstr("* 1 EXPUNGE\r\n"));
  EXPECT_THAT(other.run("FETCH 1:* UID"), StartsWith("* 1 FETCH (UID 2)\r\n* 2 FETCH (UID 3)\r\n"));
}

TEST_F(SessionTest, UidExpungeTakesOnlyWhatItNames) {
  fill("INBOX", 3);
  Client anna(server, "anna");
  anna.run("SELECT INBOX");
  anna.run("STORE 1:3 +FLAGS.SILENT (\\Deleted)");
  EXPECT_EQ(anna.run("UID EXPUNGE 2:9"),
            "* 2 EXPUNGE\r\n* 2 EXPUNGE\r\nTAG OK UID EXPUNGE completed\r\n");
  EXPECT_EQ(anna.run("CLOSE"), "TAG OK CLOSE completed\r\n");
  EXPECT_THAT(anna.run("SELECT INBOX"), HasSubstr("* 0 EXISTS"));
}

TEST_F(SessionTest, IdleIsWokenByChangesAndEndsWithDone) {
  fill("INBOX", 1);
  Client anna(server, "anna");
  anna.run("SELECT INBOX");
  EXPECT_EQ(anna.send("i IDLE\r\n"), "+ idling\r\n");
  EXPECT_EQ(anna.outcome().parked.activity, "IDLE");
  EXPECT_FALSE(anna.has_news());
  fill("INBOX", 1);
  EXPECT_TRUE(anna.has_news());
  EXPECT_EQ(anna.wake(), "* 2 EXISTS\r\n* 2 RECENT\r\n");
  EXPECT_FALSE(anna.has_news());
  EXPECT_EQ(anna.send("DONE\r\nb NOOP\r\n"), "i OK IDLE completed\r\nb OK NOOP completed\r\n");
}

TEST_F(SessionTest, CopyAndMoveSayWhere) {
  fill("INBOX", 3);
  Client anna(server, "anna");
  anna.run("SELECT INBOX");
  EXPECT_THAT(anna.run("COPY 1:2 nowhere"), StartsWith("TAG NO [TRYCREATE]"));
  EXPECT_THAT(anna.run("COPY 1:2 Archive"),
              testing::ContainsRegex("TAG OK \\[COPYUID [0-9]+ 1:2 1:2\\]"));
  const std::string moved = anna.run("MOVE 2 Archive");
  EXPECT_THAT(moved, testing::ContainsRegex("^\\* OK \\[COPYUID [0-9]+ 2 3\\] Moved"));
  EXPECT_THAT(moved, HasSubstr("* 2 EXPUNGE\r\n"));
  EXPECT_THAT(anna.run("STATUS Archive (MESSAGES UIDNEXT)"),
              StartsWith("* STATUS Archive (MESSAGES 3 UIDNEXT 4)\r\n"));
}

TEST_F(SessionTest, RightsThatWereGivenReachTheMailboxesOwnCopy) {
  Client anna(server, "anna");
  const auto entry = server.meta->lookup(meta::MailboxName::from_utf8("user/anna").value()).value();
  const std::string where = server.store->directory_of(entry.id, entry.partition).value();
  EXPECT_THAT(anna.run("SETACL INBOX bob lrs"), StartsWith("TAG OK"));
  EXPECT_GT(store::read_header(where)->version, entry.version);
  EXPECT_THAT(anna.run("DELETEACL INBOX bob"), StartsWith("TAG OK"));
  EXPECT_EQ(store::read_header(where)->acl.text(), entry.acl.text());
}

TEST_F(SessionTest, AppendChecksBeforeItTakesTheOctets) {
  Client anna(server, "anna");
  EXPECT_EQ(anna.run("APPEND nowhere {10}"), "TAG NO [TRYCREATE] There is no such mailbox\r\n");
  EXPECT_EQ(anna.run("APPEND INBOX {200000}"), "TAG NO [TOOBIG] Too big\r\n");
  EXPECT_THAT(anna.send("a APPEND INBOX (\\Seen) \"01-Feb-2024 10:00:00 +0100\" {6}\r\n"
                        "a: b\r\n\r\n"),
              testing::ContainsRegex("^\\+ Ready.*\r\na OK \\[APPENDUID [0-9]+ 1\\]"));
  anna.run("SELECT INBOX");
  EXPECT_THAT(anna.run("FETCH 1 (FLAGS INTERNALDATE)"),
              StartsWith("* 1 FETCH (FLAGS (\\Seen \\Recent) INTERNALDATE "
                         "\"01-Feb-2024 10:00:00 +0100\")"));
}

// RFC 9208 §4.1: what can't fit is refused before the client sends it.
TEST_F(SessionTest, AppendBeyondTheQuotaIsRefusedBeforeTheOctets) {
  Client anna(server, "anna");
  Client admin(server, "admin");
  admin.run("SETQUOTA user/anna (STORAGE 2 MESSAGE 2)");
  EXPECT_THAT(anna.run("APPEND INBOX {5000}"), StartsWith("TAG NO [OVERQUOTA]"));
  EXPECT_THAT(anna.run(append("INBOX", 1)), HasSubstr("APPENDUID"));
  const std::string one = message(1), large(1950, 'x');
  EXPECT_THAT(anna.run(fmt::format("APPEND INBOX {{{}+}}\r\n{} {{1950}}", one.size(), one)),
              StartsWith("TAG NO [OVERQUOTA]"));  // together they don't fit
  EXPECT_THAT(anna.run(fmt::format("APPEND INBOX {{1950+}}\r\n{}", large)),
              StartsWith("TAG NO [OVERQUOTA]"));
  EXPECT_THAT(anna.run(append("INBOX", 2)), HasSubstr("APPENDUID"));
  EXPECT_THAT(anna.run("APPEND INBOX {5}"), StartsWith("TAG NO [OVERQUOTA]"));  // MESSAGE
}

// Who has used up a quota can still put mail into the trash, which lies under the same root.
TEST_F(SessionTest, CopiesCountForTheQuotaAndMovesWithinItDont) {
  fill("INBOX", 2);
  Client anna(server, "anna");
  Client bob(server, "bob");
  bob.run("CREATE Box");
  bob.run("SETACL Box anna lrswite");
  Client admin(server, "admin");
  admin.run("SETQUOTA user/anna (MESSAGE 2)");
  admin.run("SETQUOTA user/bob (MESSAGE 1)");
  anna.run("SELECT INBOX");
  EXPECT_THAT(anna.run("COPY 1 Trash"), StartsWith("TAG NO [OVERQUOTA]"));
  EXPECT_THAT(anna.run("MOVE 1 Trash"), HasSubstr("TAG OK"));
  EXPECT_THAT(anna.run("GETQUOTA INBOX"), HasSubstr("MESSAGE 2 2)"));
  EXPECT_THAT(anna.run("COPY 1 \"Other Users/bob/Box\""), StartsWith("TAG OK"));
  EXPECT_THAT(anna.run("MOVE 1 \"Other Users/bob/Box\""), StartsWith("TAG NO [OVERQUOTA]"));
  EXPECT_THAT(anna.run("FETCH 1 UID"), StartsWith("* 1 FETCH (UID 2)"));
  EXPECT_THAT(anna.run("SELECT Trash"), HasSubstr("* 1 EXISTS"));
  anna.run("STORE 1 +FLAGS (\\Deleted)");
  anna.run("EXPUNGE");
  EXPECT_THAT(anna.run(append("INBOX", 9)), HasSubstr("APPENDUID"));
}

// RFC 4314 §4: copies have the flags that the client may set where they go.
TEST_F(SessionTest, CopiesCarryTheFlagsThatTheDestinationAllows) {
  Client bob(server, "bob");
  bob.run("CREATE Box");
  Client anna(server, "anna");
  for (int i = 1; i <= 3; ++i) anna.run(append("INBOX", i, "\\Seen \\Deleted \\Flagged Work"));
  anna.run("SELECT INBOX");
  const std::string box = "\"Other Users/bob/Box\"";
  bob.run("SETACL Box anna lr");
  EXPECT_THAT(anna.run("COPY 1 " + box), StartsWith("TAG NO [NOPERM]"));
  EXPECT_THAT(anna.run("MOVE 1 " + box), StartsWith("TAG NO [NOPERM]"));
  EXPECT_THAT(anna.run(append(box, 9)), HasSubstr("TAG NO [NOPERM]"));
  bob.run("SETACL Box anna lri");
  EXPECT_THAT(anna.run("COPY 1 " + box), StartsWith("TAG OK [COPYUID"));
  bob.run("SETACL Box anna lris");
  EXPECT_THAT(anna.run("UID COPY 2 " + box), StartsWith("TAG OK [COPYUID"));
  bob.run("SETACL Box anna lriw");
  EXPECT_THAT(anna.run("MOVE 1 " + box), HasSubstr("COPYUID"));
  bob.run("SETACL Box anna lrit");
  EXPECT_THAT(anna.run("UID COPY 3 " + box), StartsWith("TAG OK [COPYUID"));
  EXPECT_THAT(anna.run(append(box, 4, "\\Seen \\Deleted \\Flagged Work")), HasSubstr("APPENDUID"));
  bob.run("EXAMINE Box");
  const std::string flags = bob.run("FETCH 1:* FLAGS");
  EXPECT_THAT(flags, HasSubstr("* 1 FETCH (FLAGS (\\Recent))"));
  EXPECT_THAT(flags, HasSubstr("* 2 FETCH (FLAGS (\\Recent))"));
  EXPECT_THAT(flags, HasSubstr("* 3 FETCH (FLAGS (\\Flagged \\Recent Work))"));
  EXPECT_THAT(flags, HasSubstr("* 4 FETCH (FLAGS (\\Deleted \\Recent))"));
  EXPECT_THAT(flags, HasSubstr("* 5 FETCH (FLAGS (\\Deleted \\Recent))"));
  anna.run("EXAMINE " + box);  // her \Seen is her own
  EXPECT_THAT(anna.run("FETCH 2 FLAGS"), HasSubstr("* 2 FETCH (FLAGS (\\Seen"));
}

// An operator makes the folder; passwords are never in the file, nor what others do.
TEST_F(SessionTest, AFolderSwitchesOnTheProtocolTraceOfItsUser) {
  Client early(server, "anna");
  std::filesystem::create_directories(server.directory + "/trace/anna");
  early.run("NOOP");
  Client(server, "bob").run("CREATE OfBob");
  Client late(server, "anna");
  late.run("CREATE Traced");
  std::string all;
  for (const auto& file : std::filesystem::directory_iterator(server.directory + "/trace/anna"))
    all += read_file(file.path().string()).value();
  EXPECT_THAT(all, HasSubstr("NOOP\r\n"));
  EXPECT_THAT(all, HasSubstr("CREATE Traced\r\n"));
  EXPECT_THAT(all, HasSubstr("OK [MAILBOXID"));
  EXPECT_THAT(all, Not(HasSubstr("pass")));
  EXPECT_THAT(all, Not(HasSubstr("OfBob")));
}

// "No small limit": RFC 9051 §2.3.2 sets none.
TEST_F(SessionTest, KeywordsByTheThousandCrossTheWire) {
  fill("INBOX", 2);
  Client anna(server, "anna");
  anna.run("SELECT INBOX");
  for (int i = 0; i < 3000; i += 500) {
    std::string names;
    for (int k = i; k < i + 500; ++k) names += fmt::format("{}label{}", k == i ? "" : " ", k);
    EXPECT_THAT(anna.run(fmt::format("STORE 1 +FLAGS.SILENT ({})", names)), HasSubstr("TAG OK"));
  }
  anna.run("STORE 2 +FLAGS (label2999 label64)");
  const std::string flags = anna.run("FETCH 1:2 FLAGS");
  EXPECT_THAT(flags, HasSubstr(" label0 label1 "));
  EXPECT_THAT(flags, HasSubstr(" label2998 label2999)"));
  EXPECT_THAT(flags, HasSubstr("* 2 FETCH (FLAGS (\\Recent label64 label2999))"));
  EXPECT_EQ(anna.run("SEARCH KEYWORD label2999"), "* SEARCH 1 2\r\nTAG OK SEARCH completed\r\n");
  EXPECT_EQ(anna.run("SEARCH KEYWORD label1500"), "* SEARCH 1\r\nTAG OK SEARCH completed\r\n");
  EXPECT_EQ(anna.run("SEARCH UNKEYWORD label65"), "* SEARCH 2\r\nTAG OK SEARCH completed\r\n");
  anna.run("STORE 1 -FLAGS.SILENT (LABEL1500)");  // RFC 5788 §2.1: in any case
  EXPECT_EQ(anna.run("SEARCH KEYWORD Label1500"), "* SEARCH\r\nTAG OK SEARCH completed\r\n");
  EXPECT_THAT(anna.run("SELECT INBOX"), HasSubstr(" label2999 \\*)]"));
}

TEST_F(SessionTest, SeveralMessagesInOneAppend) {
  Client anna(server, "anna");
  const std::string one = message(1), two = message(2);
  EXPECT_THAT(anna.run(fmt::format("APPEND INBOX (\\Seen) {{{}+}}\r\n{} (\\Flagged) {{{}+}}\r\n{}",
                                   one.size(), one, two.size(), two)),
              testing::ContainsRegex("TAG OK \\[APPENDUID [0-9]+ 1:2\\]"));
  anna.run("EXAMINE INBOX");
  EXPECT_THAT(anna.run("FETCH 2 (FLAGS BODY.PEEK[TEXT])"),
              HasSubstr("\\Flagged \\Recent) BODY[TEXT] {8}\r\nbody 2\r\n"));
}

TEST_F(SessionTest, ListShowsWhatMayBeSeen) {
  Client anna(server, "anna");
  EXPECT_EQ(anna.run("LIST \"\" \"\""),
            "* LIST (\\Noselect) \"/\" \"\"\r\nTAG OK LIST completed\r\n");
  EXPECT_THAT(anna.run("CREATE \"Lists/dev talk/x\""), HasSubstr("TAG OK"));
  const std::string all = anna.run("LIST \"\" *");
  EXPECT_THAT(all, HasSubstr("* LIST (\\HasNoChildren) \"/\" INBOX\r\n"));
  EXPECT_THAT(all, HasSubstr("* LIST (\\HasNoChildren \\Sent) \"/\" Sent\r\n"));
  EXPECT_THAT(all, HasSubstr("* LIST (\\HasNoChildren) \"/\" \"Lists/dev talk/x\"\r\n"));
  EXPECT_THAT(anna.run("LIST \"\" %"), HasSubstr("* LIST (\\HasChildren) \"/\" Lists\r\n"));
  EXPECT_THAT(anna.run("LIST \"Lists/\" %"), HasSubstr("\"/\" \"Lists/dev talk\"\r\n"));
  Client bob(server, "bob");
  EXPECT_THAT(bob.run("LIST \"\" *"), Not(HasSubstr("anna")));
  EXPECT_THAT(bob.run("SELECT \"Other Users/anna\""), StartsWith("TAG NO [NONEXISTENT]"));
  EXPECT_THAT(anna.run("SETACL INBOX bob lr"), StartsWith("TAG OK"));
  EXPECT_THAT(bob.run("LIST \"\" *"), HasSubstr("\"/\" \"Other Users/anna\"\r\n"));
  EXPECT_THAT(bob.run("SELECT \"Other Users/anna\""), HasSubstr("TAG OK [READ-ONLY]"));
  EXPECT_THAT(bob.run("MYRIGHTS \"Other Users/anna\""), HasSubstr(" lr\r\n"));
}

TEST_F(SessionTest, SubscriptionsOutliveMailboxes) {
  Client anna(server, "anna");
  anna.run("CREATE Lists");
  anna.run("SUBSCRIBE Lists");
  anna.run("DELETE Lists");
  EXPECT_THAT(anna.run("LSUB \"\" Li*"), StartsWith("* LSUB () \"/\" Lists\r\n"));
  EXPECT_THAT(
      anna.run("LIST (SUBSCRIBED) \"\" Li*"),
      StartsWith("* LIST (\\NonExistent \\Noselect \\HasNoChildren \\Subscribed) \"/\" Lists"));
  EXPECT_EQ(anna.run("LIST \"\" Li*"), "TAG OK LIST completed\r\n");
}

TEST_F(SessionTest, DeleteUnderASelectedSessionEndsIt) {
  Client anna(server, "anna");
  Client other(server, "anna");
  anna.run("CREATE Lists");
  other.run("SELECT Lists");
  EXPECT_EQ(anna.run("DELETE Lists"), "TAG OK DELETE completed\r\n");
  EXPECT_THAT(other.run("NOOP"), HasSubstr("* BYE The selected mailbox was deleted"));
  EXPECT_THAT(anna.run("DELETE INBOX"), StartsWith("TAG NO [CANNOT]"));
  EXPECT_THAT(anna.run("CREATE INBOX"), StartsWith("TAG NO [ALREADYEXISTS]"));
}

TEST_F(SessionTest, RenameMovesATreeAndInboxLeavesANewOne) {
  fill("INBOX", 2);
  Client anna(server, "anna");
  anna.run("CREATE Lists");
  anna.run("CREATE Lists/dev");
  EXPECT_EQ(anna.run("RENAME Lists Old"), "TAG OK RENAME completed\r\n");
  EXPECT_THAT(anna.run("LIST \"\" Old*"), HasSubstr("Old/dev"));
  EXPECT_EQ(anna.run("RENAME INBOX Saved"), "TAG OK RENAME completed\r\n");
  EXPECT_THAT(anna.run("STATUS Saved (MESSAGES)"), HasSubstr("MESSAGES 2"));
  EXPECT_THAT(anna.run("STATUS INBOX (MESSAGES)"), HasSubstr("MESSAGES 0"));
}

// Few subscriptions are looked up one by one, many are found by a walk through the list.
TEST_F(SessionTest, SubscribedNamesAreTheSameHoweverTheyAreFound) {
  Client anna(server, "anna");
  Client bob(server, "bob");
  for (const char* name : {"Box", "Box/Deep/x", "INBOX/Sub", "Gone", "Share", "Share/x", "Share/y"})
    anna.run(fmt::format("CREATE {}", name));
  bob.run("CREATE Public");
  bob.run("CREATE Public/Sub");
  bob.run("CREATE Hidden/Sub");
  bob.run("SETACL Public anna l");
  bob.run("SETACL Public/Sub anna lr");
  bob.run("SETACL Hidden/Sub anna r");
  for (const char* name :
       {"INBOX", "inbox", "Sent", "Box", "Box/Deep", "Box/Deep/x", "Gone", "Never/was",
        "\"Other Users/bob\"", "\"Other Users/bob/Public\"", "\"Other Users/bob/Hidden\"",
        "\"Other Users/bob/Hidden/Sub\"", "\"Shared Folders/x\"", "Share"})
    anna.run(fmt::format("SUBSCRIBE {}", name));
  anna.run("DELETE Gone");
  const std::vector<std::string> commands{
      "LSUB \"\" *",
      "LSUB \"\" %",
      "LSUB Box %",
      "LSUB \"Other Users/\" %/%",
      "LIST (SUBSCRIBED) \"\" *",
      "LIST (SUBSCRIBED) \"\" %",
      "LIST (SUBSCRIBED RECURSIVEMATCH) \"\" %",
      "LIST (SUBSCRIBED RECURSIVEMATCH) \"\" Other*",
      "LIST (SUBSCRIBED SPECIAL-USE) \"\" *",
      "LIST (SUBSCRIBED) \"\" (Box \"Other Users/bob/%\") RETURN (MYRIGHTS STATUS (MESSAGES))"};
  const auto answers = [&] {
    std::string out;
    for (const auto& command : commands) {
      const std::string answer = anna.run(command);
      for (const auto line : split(answer, '\n'))
        if (line.find("zz") == std::string_view::npos) out.append(line).append("\n");
    }
    return out;
  };
  const std::string few = answers();
  for (int i = 0; i < 70; ++i) anna.run(fmt::format("SUBSCRIBE {}zz{}", i % 2 ? "Box/" : "", i));
  EXPECT_EQ(few, answers());
  EXPECT_THAT(
      few,
      AllOf(HasSubstr("* LSUB (\\Sent) \"/\" Sent"), HasSubstr("* LSUB (\\Noselect) \"/\" Never"),
            HasSubstr("* LIST (\\HasChildren \\Subscribed) \"/\" INBOX\r\n"),
            HasSubstr(
                "* LIST (\\Noselect \\HasChildren \\Subscribed) \"/\" \"Other Users/bob/Public\""),
            HasSubstr("* LIST (\\NonExistent \\Noselect \\HasNoChildren \\Subscribed) \"/\" "
                      "\"Other Users/bob/Hidden\"")));
}

// The administrator's RENAME of an INBOX to an INBOX: tree, rights and subscriptions go along.
TEST_F(SessionTest, AUserIsRenamedWithEverything) {
  fill("INBOX", 2);
  Client anna(server, "anna");
  for (const char* command :
       {"CREATE Box", "CREATE Box/Deep", "SUBSCRIBE Box/Deep", "SETACL Box bob lrs"})
    EXPECT_THAT(anna.run(command), HasSubstr("TAG OK"));
  EXPECT_THAT(anna.run(append("Box/Deep", 7, "\\Flagged Work")), HasSubstr("APPENDUID"));
  anna.run("SELECT INBOX");
  const std::string uidvalidity = anna.run("STATUS Box/Deep (UIDVALIDITY)");
  Client admin(server, "admin");
  Client bob(server, "bob");
  EXPECT_THAT(admin.run("RENAME user/anna user/bob"), StartsWith("TAG NO [ALREADYEXISTS]"));
  EXPECT_THAT(admin.run("RENAME user/anna user/eve"), StartsWith("TAG OK"));
  const std::string all = admin.run("LIST \"\" user/*");
  EXPECT_THAT(all, Not(HasSubstr("user/anna")));
  for (const char* name : {"user/eve\r\n", "user/eve/Box\r\n", "user/eve/Box/Deep\r\n"})
    EXPECT_THAT(all, HasSubstr(name));
  const auto deep = server.meta->lookup(meta::MailboxName::from_utf8("user/eve/Box/Deep").value());
  const auto header =
      store::read_header(server.store->directory_of(deep->id, deep->partition).value());
  EXPECT_EQ(header.value().name, deep->name);
  EXPECT_THAT(bob.run("LIST \"\" \"Other Users/*\""), HasSubstr("\"Other Users/eve/Box\"\r\n"));
  Client eve(server);  // eve NUL admin NUL pass
  EXPECT_THAT(eve.run("AUTHENTICATE PLAIN ZXZlAGFkbWluAHBhc3M="), StartsWith("TAG OK"));
  EXPECT_EQ(eve.run("STATUS Box/Deep (UIDVALIDITY)"), uidvalidity);
  EXPECT_THAT(eve.run("LSUB \"\" *"), HasSubstr(" Box/Deep\r\n"));
  EXPECT_THAT(eve.run("GETACL Box"), AllOf(HasSubstr(" eve lrswipkxte"), HasSubstr(" bob lrs")));
  EXPECT_THAT(eve.run("SELECT INBOX"), HasSubstr("* 2 EXISTS"));
  eve.run("SELECT Box/Deep");
  EXPECT_THAT(eve.run("FETCH 1 FLAGS"), StartsWith("* 1 FETCH (FLAGS (\\Flagged"));
}

TEST_F(SessionTest, SearchUnderstandsItsKeys) {
  fill("INBOX", 5);
  Client anna(server, "anna");
  anna.run("SELECT INBOX");
  anna.run("STORE 2,4 +FLAGS.SILENT (\\Seen $Junk)");
  const auto found = [&anna](std::string_view keys) {
    const std::string answer = anna.run(fmt::format("SEARCH {}", keys));
    return answer.substr(0, answer.find("\r\n"));
  };
  EXPECT_EQ(found("ALL"), "* SEARCH 1 2 3 4 5");
  EXPECT_EQ(found("UNSEEN"), "* SEARCH 1 3 5");
  EXPECT_EQ(found("KEYWORD $Junk NOT 4"), "* SEARCH 2");
  EXPECT_EQ(found("OR 1 (SEEN 4:*)"), "* SEARCH 1 4");
  EXPECT_EQ(found("SUBJECT \"MESSAGE 3\""), "* SEARCH 3");
  EXPECT_EQ(found("FROM sender5@"), "* SEARCH 5");
  EXPECT_EQ(found("BODY \"body 4\""), "* SEARCH 4");
  EXPECT_EQ(found("TEXT \"message 4\""), "* SEARCH 4");
  EXPECT_EQ(found("BODY \"message 4\""), "* SEARCH");
  EXPECT_EQ(found("SENTON 4-Jan-2024"), "* SEARCH 3");
  EXPECT_EQ(found("SENTBEFORE 4-Jan-2024"), "* SEARCH 1 2");
  EXPECT_EQ(found("SINCE 1-Jan-2020 SMALLER 10"), "* SEARCH");
  EXPECT_EQ(found("HEADER Message-ID 2@"), "* SEARCH 2");
  EXPECT_EQ(found("HEADER X-None \"\""), "* SEARCH");
  EXPECT_EQ(found("UID 3:4 RECENT"), "* SEARCH 3 4");
  EXPECT_EQ(found("CHARSET ISO-8859-1 SUBJECT {7+}\r\nmessage UNSEEN"), "* SEARCH 1 3 5");
  EXPECT_THAT(anna.run("SEARCH CHARSET x-none SUBJECT a"), StartsWith("TAG NO [BADCHARSET"));
  EXPECT_THAT(anna.run("SEARCH NONSENSE"), StartsWith("TAG BAD unknown search key NONSENSE"));
  EXPECT_THAT(
      anna.run("UID SEARCH RETURN (MIN MAX COUNT ALL) SEEN"),
      testing::ContainsRegex("^\\* ESEARCH \\(TAG \"t[0-9]+\"\\) UID MIN 2 MAX 4 ALL 2,4 COUNT 2"));
  EXPECT_EQ(anna.run("SEARCH RETURN (SAVE) SEEN"), "TAG OK SEARCH completed\r\n");
  EXPECT_THAT(anna.run("FETCH $ UID"), StartsWith("* 2 FETCH (UID 2)\r\n* 4 FETCH (UID 4)\r\n"));
}

TEST_F(SessionTest, CondstoreFetchAndConditionalStore) {
  fill("INBOX", 2);
  Client anna(server, "anna");
  anna.run("SELECT INBOX (CONDSTORE)");
  const std::string before = anna.run("FETCH 1 (MODSEQ)");
  const std::string modseq =
      before.substr(before.find("MODSEQ (") + 8, before.find("))") - before.find("MODSEQ (") - 8);
  EXPECT_THAT(anna.run("STORE 1 +FLAGS (\\Flagged)"), HasSubstr(" MODSEQ ("));
  EXPECT_THAT(anna.run(fmt::format("STORE 1 (UNCHANGEDSINCE {}) +FLAGS (\\Seen)", modseq)),
              HasSubstr("TAG OK [MODIFIED 1]"));
  EXPECT_THAT(anna.run("FETCH 1 FLAGS"), Not(HasSubstr("Seen")));
  EXPECT_THAT(anna.run("STATUS INBOX (HIGHESTMODSEQ)"), HasSubstr("HIGHESTMODSEQ "));
  EXPECT_THAT(anna.run("FETCH 1:* (FLAGS) (CHANGEDSINCE 999999999999)"), StartsWith("TAG OK"));
}

TEST_F(SessionTest, QresyncTellsWhatVanished) {
  fill("INBOX", 3);
  Client anna(server, "anna");
  EXPECT_THAT(anna.run("ENABLE QRESYNC NONSENSE"), StartsWith("* ENABLED QRESYNC\r\n"));
  const std::string first = anna.run("SELECT INBOX");
  const auto number = [&first](std::string_view name) {
    const std::size_t at = first.find(name) + name.size();
    return first.substr(at, first.find(']', at) - at);
  };
  const std::string uidvalidity = number("UIDVALIDITY "), modseq = number("HIGHESTMODSEQ ");
  anna.run("STORE 2 +FLAGS.SILENT (\\Deleted)");
  EXPECT_THAT(anna.run("EXPUNGE"), StartsWith("* VANISHED 2\r\nTAG OK [HIGHESTMODSEQ "));
  anna.run("STORE 1 +FLAGS.SILENT (\\Seen)");
  Client again(server, "anna");
  again.run("ENABLE QRESYNC");
  const std::string answer =
      again.run(fmt::format("SELECT INBOX (QRESYNC ({} {}))", uidvalidity, modseq));
  EXPECT_THAT(answer,
              HasSubstr("* VANISHED (EARLIER) 2\r\n* 1 FETCH (UID 1 FLAGS (\\Seen) MODSEQ ("));
}

// RFC 7162 §3.2.6: "*" of a client is the highest uid that it knows, which may be gone.
TEST_F(SessionTest, FetchTellsWhichOfTheLastMessagesVanished) {
  fill("INBOX", 4);
  Client anna(server, "anna");
  anna.run("ENABLE QRESYNC");
  anna.run("SELECT INBOX");
  anna.run("STORE 2,4 +FLAGS.SILENT (\\Deleted)");
  anna.run("EXPUNGE");
  EXPECT_THAT(anna.run("UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)"),
              StartsWith("* VANISHED (EARLIER) 2,4\r\n* 1 FETCH (UID 1 "));
  EXPECT_THAT(anna.run("UID FETCH 3:* (FLAGS) (CHANGEDSINCE 1 VANISHED)"),
              StartsWith("* VANISHED (EARLIER) 4\r\n"));
  EXPECT_THAT(anna.run("UID FETCH 1:3 (FLAGS) (CHANGEDSINCE 1 VANISHED)"),
              StartsWith("* VANISHED (EARLIER) 2\r\n"));
}

// RFC 7162 §3.2.5.1: who comes back later than tombstones are kept is told of all uids that are
// not there; a session that still shows what was forgotten ends.
TEST_F(SessionTest, BelowTheFloorEveryUidThatIsntThereHasVanished) {
  fill("INBOX", 8);
  const auto entry = server.meta->lookup(meta::MailboxName::from_utf8("user/anna").value());
  Client held(server, "anna");
  held.run("SELECT INBOX");
  Client anna(server, "anna");
  anna.run("ENABLE QRESYNC");
  anna.run("SELECT INBOX");
  anna.run("STORE 1:3,6 +FLAGS.SILENT (\\Deleted)");
  anna.run("EXPUNGE");
  set_wall_micros_for_tests(wall_micros() + 40LL * 86'400 * 1'000'000);
  EXPECT_TRUE(server.store->clean(*entry).has_value());
  set_wall_micros_for_tests(0);
  EXPECT_THAT(held.run("NOOP"), StartsWith("* BYE "));
  EXPECT_TRUE(held.ended());
  EXPECT_EQ(anna.run("NOOP"), "TAG OK NOOP completed\r\n");
  EXPECT_THAT(anna.run("UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)"),
              StartsWith("* VANISHED (EARLIER) 1:3,6\r\n* 1 FETCH (UID 4 "));
  EXPECT_THAT(anna.run("UID FETCH 2:5,8 (FLAGS) (CHANGEDSINCE 1 VANISHED)"),
              StartsWith("* VANISHED (EARLIER) 2:3\r\n* 1 FETCH (UID 4 "));
  Client again(server, "anna");
  again.run("ENABLE QRESYNC");
  const std::string uidvalidity = fmt::format("{}", entry->uidvalidity);
  EXPECT_THAT(again.run(fmt::format("SELECT INBOX (QRESYNC ({} 1 1:4,6:4000000000))", uidvalidity)),
              HasSubstr("* VANISHED (EARLIER) 1:3,6\r\n* 1 FETCH (UID 4 "));
  EXPECT_THAT(again.run(fmt::format("SELECT INBOX (QRESYNC ({} 1))", uidvalidity)),
              HasSubstr("* VANISHED (EARLIER) 1:3,6\r\n"));
}

TEST_F(SessionTest, QuotaIsSetByAdministratorsAndSeenByItsUser) {
  Client anna(server, "anna");
  Client admin(server, "admin");
  EXPECT_THAT(anna.run("SETQUOTA INBOX (STORAGE 10)"), StartsWith("TAG NO [NOPERM]"));
  EXPECT_THAT(admin.run("SETQUOTA user/anna (STORAGE 10 MESSAGE 2)"),
              StartsWith("* QUOTA user/anna (STORAGE 0 10 MESSAGE 0 2)\r\n"));
  EXPECT_THAT(anna.run("GETQUOTAROOT Sent"),
              StartsWith("* QUOTAROOT Sent INBOX\r\n* QUOTA INBOX (STORAGE 0 10 MESSAGE 0 2)\r\n"));
  anna.run(append("INBOX", 1));
  anna.run(append("INBOX", 2));
  EXPECT_THAT(anna.run(append("INBOX", 3)), HasSubstr("NO [OVERQUOTA]"));
  EXPECT_THAT(anna.run("GETQUOTA INBOX"), HasSubstr("MESSAGE 2 2)"));
}

TEST_F(SessionTest, AMistypedNameMakesNoQuotaRoot) {
  Client anna(server, "anna");
  Client admin(server, "admin");
  EXPECT_THAT(admin.run("SETQUOTA user/ana (MESSAGE 2)"), StartsWith("TAG NO [NONEXISTENT]"));
  EXPECT_THAT(admin.run("SETQUOTA user/ana ()"), StartsWith("TAG NO [NONEXISTENT]"));
  EXPECT_THAT(admin.run("GETQUOTA user/ana"), StartsWith("TAG NO"));
  EXPECT_THAT(admin.run("SETQUOTA user/anna (MESSAGE 2)"), HasSubstr("TAG OK"));
  EXPECT_THAT(admin.run("SETQUOTA user/anna ()"), HasSubstr("TAG OK"));
}

TEST_F(SessionTest, CommandsArePipelined) {
  fill("INBOX", 1);
  Client anna(server, "anna");
  const std::string answer = anna.send("a SELECT INBOX\r\nb FETCH 1 UID\r\nc NOOP\r\nd LOGOUT\r\n");
  EXPECT_THAT(answer, HasSubstr("a OK [READ-WRITE] SELECT completed\r\n* 1 FETCH (UID 1)\r\n"
                                "b OK FETCH completed\r\nc OK NOOP completed\r\n* BYE Goodbye\r\n"
                                "d OK LOGOUT completed\r\n"));
  EXPECT_TRUE(anna.ended());
}

TEST_F(SessionTest, NamesCrossTheWireInBothForms) {
  Client anna(server, "anna");
  anna.run("CREATE Entw&APw-rfe");
  EXPECT_THAT(anna.run("LIST \"\" Entw*"), HasSubstr("\"/\" Entw&APw-rfe\r\n"));
  anna.run("ENABLE UTF8=ACCEPT");
  EXPECT_THAT(anna.run("LIST \"\" Entw*"), HasSubstr("\"/\" \"Entwürfe\"\r\n"));
  EXPECT_THAT(anna.run("STATUS \"Entwürfe\" (MESSAGES)"), HasSubstr("TAG OK"));
}

}  // namespace
}  // namespace postern::imap
