// posternadm against a server that plays a transcript.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "lib/base/fd.h"
#include "tools/adm/shell.h"

namespace postern::tools {
namespace {

/// What the server expects to read (without tag) and what it answers ("TAG" stands for the tag).
struct Turn {
  std::string command;
  std::string answer;
};

class PosternadmTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/postern-adm-XXXXXX";
    folder_ = ::mkdtemp(name);
    listener_.reset(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path().copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(listener_.get(), 1), 0);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::string path() const { return folder_ + "/imap"; }

  /// Runs `line` after a login while a server plays `turns`.
  Result<void> play(const std::string& line, std::vector<Turn> turns) {
    turns.insert(turns.begin(), {{"LOGIN \"admin\" \"pa\\\"ss\"", "TAG OK hello\r\n"},
                                 {"ENABLE UTF8=ACCEPT", "* ENABLED UTF8=ACCEPT\r\nTAG OK\r\n"}});
    std::thread server([&] { serve(turns); });
    const auto done = client(line);
    server.join();
    return done;
  }

  std::string output_;

 private:
  Result<void> client(const std::string& line) {
    AdmSession session([this](std::string_view text) { output_.append(text).append("\n"); });
    TRY(session.connect(path()));
    TRY(session.login("admin", auth::Secret("pa\"ss")));
    for (const auto& words : TRY(split_line(line))) TRY(run_words(session, words));
    return {};
  }
  void serve(const std::vector<Turn>& turns) {
    const Fd peer(::accept(listener_.get(), nullptr, nullptr));
    EXPECT_TRUE(write_all(peer.get(), "* OK ready\r\n"));
    for (const auto& turn : turns) {
      const std::string line = read_line(peer.get());
      const auto space = line.find(' ');
      EXPECT_EQ(line.substr(space + 1), turn.command);
      std::string answer = turn.answer;
      const auto tag = answer.rfind("TAG");
      EXPECT_TRUE(write_all(peer.get(), answer.replace(tag, 3, line.substr(0, space))));
    }
    EXPECT_EQ(read_line(peer.get()), "");
  }
  static std::string read_line(int fd) {
    std::string line;
    for (char c = 0; ::read(fd, &c, 1) == 1 && c != '\n';)
      if (c != '\r') line += c;
    return line;
  }

  std::string folder_;
  Fd listener_;
};

TEST_F(PosternadmTest, CreatesWithASpecialUse) {
  EXPECT_TRUE(play("cm --specialuse Sent 'user/anna/My Sent'",
                   {{"CREATE \"user/anna/My Sent\" (USE (\\Sent))", "TAG OK\r\n"}}));
}

TEST_F(PosternadmTest, ListsWithFlagsQuotedNamesAndLiterals) {
  EXPECT_TRUE(play("lm user/*; lm -subscribed",
                   {{"LIST \"\" \"user/*\"",
                     "* LIST (\\HasNoChildren \\Sent) \"/\" \"user/a \\\"b\\\"\"\r\n"
                     "* LIST () \"/\" {6}\r\nuser/x\r\nTAG OK\r\n"},
                    {"LIST (SUBSCRIBED) \"\" \"*\"", "TAG OK\r\n"}}));
  EXPECT_EQ(output_, "user/a \"b\" (\\HasNoChildren \\Sent)\nuser/x\n");
}

TEST_F(PosternadmTest, KnowsTheWordsForRightsAndExpandsWildcards) {
  EXPECT_TRUE(play("sam news* anyone read bob +p",
                   {{"LIST \"\" \"news*\"",
                     "* LIST (\\Noselect) \"/\" news\r\n"
                     "* LIST (\\NonExistent) \"/\" news/gone\r\nTAG OK\r\n"},
                    {"SETACL \"news\" \"anyone\" \"lrs\"", "TAG OK\r\n"},
                    {"SETACL \"news\" \"bob\" \"+p\"", "TAG OK\r\n"}}));
  output_.clear();
  EXPECT_TRUE(
      play("lam news", {{"GETACL \"news\"", "* ACL news anyone lrs bob lrsp\r\nTAG OK\r\n"}}));
  EXPECT_EQ(output_, "anyone lrs\nbob lrsp\n");
}

TEST_F(PosternadmTest, QuotaLimitsHaveUnits) {
  EXPECT_TRUE(play("sq user/a STORAGE 10M MESSAGE 2K; sq user/a 500; sq user/a none",
                   {{"SETQUOTA \"user/a\" (STORAGE 10240 MESSAGE 2000)", "TAG OK\r\n"},
                    {"SETQUOTA \"user/a\" (STORAGE 500)", "TAG OK\r\n"},
                    {"SETQUOTA \"user/a\" ()", "TAG OK\r\n"}}));
  EXPECT_TRUE(play("lqr user/a/b", {{"GETQUOTAROOT \"user/a/b\"",
                                     "* QUOTAROOT user/a/b user/a\r\n"
                                     "* QUOTA user/a (STORAGE 10 512)\r\nTAG OK\r\n"}}));
  EXPECT_EQ(output_, "user/a\n  STORAGE 10/512 (2.0 %)\n");
}

TEST_F(PosternadmTest, AnnotationsHaveShortNames) {
  EXPECT_TRUE(play("mboxconfig news comment 'For all'; setmd --private news /shared/a/b none",
                   {{"SETMETADATA \"news\" (\"/shared/comment\" \"For all\")", "TAG OK\r\n"},
                    {"SETMETADATA \"news\" (\"/private/a/b\" NIL)", "TAG OK\r\n"}}));
  EXPECT_TRUE(
      play("getmd server; getmd news comment",
           {{"GETMETADATA (DEPTH infinity) \"\" (/shared /private)",
             "* METADATA \"\" (/shared/admin {8}\r\nmailto:a /private/x NIL)\r\nTAG OK\r\n"},
            {"GETMETADATA (DEPTH infinity) \"news\" (\"/shared/comment\")",
             "* METADATA news (/shared/comment \"For all\")\r\nTAG OK\r\n"}}));
  EXPECT_EQ(output_, "/shared/admin mailto:a\n/private/x NIL\n/shared/comment For all\n");
  EXPECT_FALSE(play("mboxconfig news nonsense x", {}));
}

TEST_F(PosternadmTest, RefusalsKeepTheServersWordsAndTheirKind) {
  const auto no =
      play("dm user/a", {{"DELETE \"user/a\"", "TAG NO [NOPERM] you lack the right x\r\n"}});
  ASSERT_FALSE(no);
  EXPECT_EQ(no.error().code, Errc::no_permission);
  EXPECT_NE(no.error().text.find("you lack the right x"), std::string::npos);
  const auto bye = play("dm user/a", {{"DELETE \"user/a\"", "* BYE shutting down\r\nTAG OK\r\n"}});
  EXPECT_EQ(bye.error().code, Errc::closed);
}

TEST(SplitLine, QuotesEscapesAndSemicolons) {
  EXPECT_EQ(split_line("a  'b c' \"d\\\"e\" f\\ g; h ''").value(),
            (std::vector<Words>{{"a", "b c", "d\"e", "f g"}, {"h", ""}}));
  EXPECT_EQ(split_line(" ; ;").value(), std::vector<Words>{});
  EXPECT_FALSE(split_line("a 'b"));
}

TEST(AdmTable, EveryNameAndAliasIsGivenOnce) {
  for (const auto& command : adm_commands()) EXPECT_EQ(find_adm_command(command.name), &command);
  EXPECT_EQ(find_adm_command("dam")->name, "deleteaclmailbox");
  EXPECT_EQ(find_adm_command("lqm")->name, "listquotaroot");
  EXPECT_EQ(find_adm_command(""), nullptr);
  EXPECT_EQ(find_adm_command("nothing"), nullptr);
}

TEST(ParseValues, RefusesBrokenResponses) {
  EXPECT_TRUE(parse_values("a (b (c \"d\")) NIL {2}\r\nxy"));
  for (const char* bad : {"(a", "a)", "\"a", "{5}\r\nab", "{x}\r\n", "\"a\\"})
    EXPECT_FALSE(parse_values(bad)) << bad;
  EXPECT_FALSE(parse_values(std::string(1000, '(')));
}

}  // namespace
}  // namespace postern::tools
