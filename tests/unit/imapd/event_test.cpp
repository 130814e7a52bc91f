// Sieve scripts at events of IMAP (RFC 6785): which run, what they see, what they do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>

#include "lib/base/fd.h"
#include "lib/store/scripts.h"
#include "tests/unit/imapd/live.h"

namespace postern::imap {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class EventTest : public testing::Test {
 protected:
  EventTest() : anna(server, "anna") {
    std::signal(SIGPIPE, SIG_IGN);
    std::filesystem::create_directory(server.directory + "/programs");
    set("sieve.program_directory=" + server.directory + "/programs");
    // Appends to the file "out" what it is told, and the message's Subject.
    program("note", "echo \"$1\" >> " + server.directory +
                        "/out; grep -a ^Subject | tr -d '\\r' >> " + server.directory + "/out");
  }

  void set(const std::string& assignment) { ASSERT_TRUE(server.config.set(assignment)); }
  void program(const std::string& name, const std::string& text) {
    const std::string path = server.directory + "/programs/" + name;
    ASSERT_TRUE(replace_file(path, "#!/bin/sh\n" + text + "\n"));
    ::chmod(path.c_str(), 0700);
  }
  std::string out() {
    auto text = read_file(server.directory + "/out");
    return text ? *text : "";
  }
  void user_script(std::string_view user, std::string_view name, std::string_view text) {
    const auto record = server.meta->user(meta::UserName::from_utf8(user).value(), true);
    auto scripts = store::Scripts::of(server.config, *record);
    ASSERT_TRUE(scripts.put(name, text));
  }
  /// The script "events" of anna, for all her mailboxes.
  void script(std::string_view text) {
    user_script("anna", "events", text);
    EXPECT_THAT(anna.run("SETMETADATA INBOX (/shared/imapsieve/script \"events\")"),
                HasSubstr("TAG OK"));
  }
  /// A script of the administrator.
  std::string file(const std::string& name, const std::string& text) {
    const std::string path = server.directory + "/" + name + ".sieve";
    EXPECT_TRUE(replace_file(path, text));
    return path;
  }
  std::string flags(int uid) {
    const std::string said = anna.run("UID FETCH " + std::to_string(uid) + " FLAGS");
    const auto from = said.find("FLAGS (");
    return from == std::string::npos ? said
                                     : said.substr(from + 7, said.find(')', from) - from - 7);
  }

  LiveServer server;
  Client anna;
};

constexpr std::string_view kNoteAll =
    "require [\"imapsieve\", \"environment\", \"variables\", \"vnd.dovecot.pipe\", \"copy\"];"
    "if environment :matches \"imap.cause\" \"*\" { set \"c\" \"${1}\"; }"
    "if environment :matches \"imap.mailbox\" \"*\" { set \"m\" \"${1}\"; }"
    "if environment :matches \"imap.changedflags\" \"*\" { set \"f\" \"${1}\"; }"
    "if environment :matches \"imap.user\" \"*\" { set \"u\" \"${1}\"; }"
    "if environment :matches \"location\" \"*\" { set \"l\" \"${1}\"; }"
    "pipe :copy \"note\" \"${c} ${m} ${u} ${l} [${f}]\";";

TEST_F(EventTest, AppendCopyMoveAndFlagsRunTheAnnotatedScript) {
  server.configure();
  script(kNoteAll);
  anna.run("CREATE Lists");
  anna.run("SETMETADATA Lists (/shared/imapsieve/script \"events\")");
  anna.run(append("INBOX", 1));
  EXPECT_EQ(out(), "APPEND INBOX anna MS []\nSubject: message 1\n");
  std::filesystem::remove(server.directory + "/out");
  anna.run("SELECT INBOX");
  anna.run("COPY 1 Lists");
  EXPECT_EQ(out(), "COPY Lists anna MS []\nSubject: message 1\n");
  std::filesystem::remove(server.directory + "/out");
  anna.run("STORE 1 +FLAGS (\\Flagged $Work)");
  EXPECT_EQ(out(), "FLAG INBOX anna MS [\\Flagged $Work]\nSubject: message 1\n");
  std::filesystem::remove(server.directory + "/out");
  anna.run("STORE 1 +FLAGS (\\Flagged)");  // nothing changes
  EXPECT_EQ(out(), "");
  anna.run("FETCH 1 BODY[]");
  EXPECT_EQ(out(), "FLAG INBOX anna MS [\\Seen]\nSubject: message 1\n");
  std::filesystem::remove(server.directory + "/out");
  anna.run("FETCH 1 BODY[]");
  EXPECT_EQ(out(), "");
  EXPECT_THAT(anna.run("MOVE 1 Lists"), HasSubstr("COPYUID"));
  EXPECT_EQ(out(), "COPY Lists anna MS []\nSubject: message 1\n");
}

TEST_F(EventTest, EachMessageOfMultiappendIsAnEvent) {
  server.configure();
  script(kNoteAll);
  anna.send("x APPEND INBOX {14+}\r\nSubject: 1\r\n\r\n {14+}\r\nSubject: 2\r\n\r\n\r\n");
  EXPECT_EQ(out(), "APPEND INBOX anna MS []\nSubject: 1\nAPPEND INBOX anna MS []\nSubject: 2\n");
}

TEST_F(EventTest, ServersEntryCountsWhereTheMailboxHasNone) {
  server.configure();
  user_script("anna", "all", kNoteAll);
  Client admin(server, "admin");
  admin.run("SETMETADATA \"\" (/shared/imapsieve/script \"all\")");
  anna.run(append("INBOX", 1));
  EXPECT_THAT(out(), StartsWith("APPEND"));
  std::filesystem::remove(server.directory + "/out");
  // RFC 6785 §2.3.1: an empty entry is one, and means no script.
  anna.run("SETMETADATA INBOX (/shared/imapsieve/script \"\")");
  anna.run(append("INBOX", 1));
  EXPECT_EQ(out(), "");
  anna.run("SETMETADATA INBOX (/shared/imapsieve/script \"missing\")");
  EXPECT_THAT(anna.run(append("INBOX", 1)), HasSubstr("OK"));
  EXPECT_EQ(out(), "");
}

TEST_F(EventTest, FlagsOfTheScriptAreTheMessages) {
  server.configure();
  script(
      "require [\"imap4flags\", \"imapsieve\"];"
      "if hasflag \"\\\\Flagged\" { addflag \"Urgent\"; removeflag \"\\\\Flagged\"; }");
  anna.run(append("INBOX", 1, "\\Flagged \\Seen"));
  anna.run(append("INBOX", 2, "\\Seen"));
  anna.run("SELECT INBOX");
  EXPECT_THAT(flags(1), testing::AllOf(HasSubstr("Urgent"), Not(HasSubstr("\\Flagged"))));
  EXPECT_THAT(flags(2), HasSubstr("\\Seen"));
  // The client hears of both changes, its own and the script's; that one is no event again.
  EXPECT_THAT(anna.run("STORE 2 +FLAGS (\\Flagged)"), HasSubstr("Urgent"));
  EXPECT_THAT(flags(2), Not(HasSubstr("\\Flagged")));
}

TEST_F(EventTest, DiscardAndFileintoMarkAsDeleted) {
  server.configure();
  anna.run("CREATE Other");
  script(
      "require [\"fileinto\", \"copy\", \"imap4flags\", \"imapsieve\", \"editheader\"];"
      "if header :is \"subject\" \"message 1\" { discard; }"
      "elsif header :is \"subject\" \"message 2\" { fileinto :flags \"filed\" \"Other\"; }"
      "elsif header :is \"subject\" \"message 3\" { fileinto :copy \"Other\"; }"
      "elsif header :is \"subject\" \"message 4\" "
      "{ addheader \"X-New\" \"yes\"; fileinto \"Other\"; keep; }"
      "elsif header :is \"subject\" \"message 5\" { fileinto \"Nowhere\"; }");
  for (int i = 1; i <= 5; ++i) anna.run(append("INBOX", i));
  anna.run("SELECT INBOX");
  EXPECT_THAT(flags(1), HasSubstr("\\Deleted"));
  EXPECT_THAT(flags(2), HasSubstr("\\Deleted"));
  EXPECT_THAT(flags(3), Not(HasSubstr("\\Deleted")));
  EXPECT_THAT(flags(4), Not(HasSubstr("\\Deleted")));
  EXPECT_THAT(flags(5), Not(HasSubstr("\\Deleted"))) << "it could not be filed, so it stays";
  EXPECT_THAT(anna.run("FETCH 4 BODY.PEEK[HEADER]"), Not(HasSubstr("X-New")));
  EXPECT_THAT(anna.run("SELECT Other"), HasSubstr("3 EXISTS"));
  EXPECT_THAT(anna.run("FETCH 1:3 (FLAGS BODY.PEEK[HEADER.FIELDS (X-New Subject)])"),
              testing::AllOf(HasSubstr("filed"), HasSubstr("X-New: yes"), HasSubstr("message 3")));
}

TEST_F(EventTest, KeepIsTheMailboxOfTheMessageNotInbox) {
  server.configure();
  anna.run("CREATE Lists");
  user_script("anna", "events", "require \"fileinto\"; fileinto \"INBOX\"; keep;");
  anna.run("SETMETADATA Lists (/shared/imapsieve/script \"events\")");
  anna.run(append("Lists", 1));
  EXPECT_THAT(anna.run("STATUS INBOX (MESSAGES)"), HasSubstr("MESSAGES 1"));
  anna.run("SELECT Lists");
  EXPECT_THAT(flags(1), Not(HasSubstr("\\Deleted")));
}

TEST_F(EventTest, WhatBelongsToDeliveryIsAnError) {
  server.configure();
  for (const std::string text :
       {"require \"vacation\"; vacation \"away\"; discard;", "require \"reject\"; reject \"no\";",
        "require \"ereject\"; ereject \"no\";",
        "require \"envelope\"; if envelope \"to\" \"x\" { discard; } discard;",
        "require \"snooze\"; snooze \"08:00\";", "discard; stop; no script"}) {
    script(text);
    EXPECT_THAT(anna.run(append("INBOX", 1)), HasSubstr("APPENDUID")) << text;
  }
  EXPECT_THAT(anna.run("STATUS INBOX (MESSAGES)"), HasSubstr("MESSAGES 6"));
  anna.run("SELECT INBOX");
  EXPECT_THAT(anna.run("SEARCH DELETED"), HasSubstr("* SEARCH\r\n"));
}

TEST_F(EventTest, RulesOfTheAdministratorLearnSpamAndHam) {
  set("imapsieve.a.mailbox=\\Junk");
  set("imapsieve.a.before=" +
      file("spam", "require [\"vnd.dovecot.pipe\", \"copy\"]; pipe :copy \"note\" \"spam\";"));
  set("imapsieve.b.from=Junk");
  set("imapsieve.b.before=" +
      file("ham",
           "require [\"vnd.dovecot.pipe\", \"copy\", \"imapsieve\", \"environment\"];"
           "if not environment \"imap.mailbox\" \"Trash\" { pipe :copy \"note\" \"ham\"; }"));
  server.configure();
  anna.run(append("INBOX", 1));
  anna.run("SELECT INBOX");
  EXPECT_EQ(out(), "");
  anna.run("COPY 1 Trash");
  EXPECT_EQ(out(), "");
  anna.run("MOVE 1 Junk");
  EXPECT_EQ(out(), "spam\nSubject: message 1\n");
  std::filesystem::remove(server.directory + "/out");
  anna.run("SELECT Junk");
  anna.run("COPY 1 Trash");
  EXPECT_EQ(out(), "");
  anna.run("MOVE 1 INBOX");
  EXPECT_EQ(out(), "ham\nSubject: message 1\n");
}

TEST_F(EventTest, BeforeUserAndAfterRunInOrderUntilOneDoesNotKeep) {
  const auto note = [](const std::string& word) {
    return "require [\"vnd.dovecot.pipe\", \"copy\"]; pipe :copy \"note\" \"" + word + "\";";
  };
  set("imapsieve.x.causes=APPEND");
  set("imapsieve.x.before=" + file("before", note("before")));
  set("imapsieve.x.after=" + file("after", note("after")));
  server.configure();
  script(note("user") + " if header :is \"subject\" \"message 2\" { discard; }");
  anna.run(append("INBOX", 1));
  EXPECT_EQ(out(),
            "before\nSubject: message 1\nuser\nSubject: message 1\nafter\nSubject: message 1\n");
  std::filesystem::remove(server.directory + "/out");
  anna.run(append("INBOX", 2));
  EXPECT_EQ(out(), "before\nSubject: message 2\nuser\nSubject: message 2\n");
}

TEST_F(EventTest, ScriptsBelongToTheOwnerOfTheMailbox) {
  server.configure();
  script(kNoteAll);
  user_script("bob", "events", "discard;");
  anna.run("SETACL INBOX bob lrsi");
  Client bob(server, "bob");
  EXPECT_THAT(bob.run(append("\"Other Users/anna\"", 1)), HasSubstr("APPENDUID"));
  EXPECT_EQ(out(), "APPEND INBOX bob MS []\nSubject: message 1\n");
}

TEST_F(EventTest, AFailingProgramCostsNothing) {
  program("fail", "exit 1");
  server.configure();
  script("require \"vnd.dovecot.pipe\"; pipe \"fail\";");
  EXPECT_THAT(anna.run(append("INBOX", 1)), HasSubstr("APPENDUID"));
  anna.run("SELECT INBOX");
  EXPECT_THAT(flags(1), Not(HasSubstr("\\Deleted")));
}

TEST_F(EventTest, TheCapabilityNamesTheManageSieveServer) {
  EXPECT_THAT(anna.run("CAPABILITY"), Not(HasSubstr("IMAPSIEVE")));
  set("sieve.url=sieve://mail.example.org");
  server.configure();
  EXPECT_THAT(anna.run("CAPABILITY"), HasSubstr(" IMAPSIEVE=sieve://mail.example.org"));
}

}  // namespace
}  // namespace postern::imap
