// Submission through a command: what it is called with, and what its exit means.
#include "sieve/site/submit.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>

#include "lib/base/fd.h"
#include "lib/base/random.h"

namespace postern::site {
namespace {

class Command : public testing::Test {
 protected:
  Command() : folder_(testing::TempDir() + "submit-" + random_hex(8)) {
    std::signal(SIGPIPE, SIG_IGN);  // as the fork server does
    std::filesystem::create_directory(folder_);
  }
  ~Command() override { std::filesystem::remove_all(folder_); }

  /// Submits to a shell script with this text; $OUT is a file of the test.
  Result<void> submit(const std::string& text, const Submission& mail) {
    const std::string path = folder_ + "/sendmail";
    EXPECT_TRUE(replace_file(path, "#!/bin/sh\nOUT=" + folder_ + "/out\n" + text + "\n"));
    ::chmod(path.c_str(), 0700);
    return make_submitter("sendmail:" + path + " -oi", "mail.example.org").value()->submit(mail);
  }

  std::string folder_;
  Submission mail_{"a@example.org", {"b@example.org", "c@example.org"}, "Subject: x\r\n\r\n.\r\n"};
};

TEST_F(Command, GetsEnvelopeAsArgumentsAndTheMessageWithLineFeeds) {
  ASSERT_TRUE(submit("(printf '%s|' \"$@\"; echo; cat) > $OUT", mail_));
  EXPECT_EQ(read_file(folder_ + "/out").value(),
            "-oi|-i|-f|a@example.org|--|b@example.org|c@example.org|\nSubject: x\n\n.\n");
}

TEST_F(Command, ExitTellsWhetherItIsWorthAnotherTry) {
  EXPECT_EQ(submit("exit 75", mail_).error().code, Errc::unavailable);
  EXPECT_EQ(submit("exit 67", mail_).error().code, Errc::no_permission);
  EXPECT_EQ(submit("kill -9 $$", mail_).error().code, Errc::unavailable);
}

TEST_F(Command, OneThatReadsNothingIsJudgedByItsExit) {
  mail_.message.assign(1 << 20, 'x');
  const auto refused = submit("exit 77", mail_);
  EXPECT_EQ(refused.error().code, Errc::no_permission) << refused.error().text;
  EXPECT_TRUE(submit("exit 0", mail_));
}

TEST(Submitter, OnlyWhatIsKnownIsTaken) {
  EXPECT_FALSE(make_submitter("", "h").value()->configured());
  EXPECT_TRUE(make_submitter("smtp://127.0.0.1:1", "h").value()->configured());
  EXPECT_EQ(make_submitter("smtp://127.0.0.1:1", "h").value()->submit({}).error().code,
            Errc::unavailable);
  for (const auto wrong : {"sendmail:sendmail", "lmtp://x", "/usr/sbin/sendmail"})
    EXPECT_EQ(make_submitter(wrong, "h").error().code, Errc::bad_syntax) << wrong;
}

}  // namespace
}  // namespace postern::site
