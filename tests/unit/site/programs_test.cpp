// Programs for pipe: what they get, and what becomes of those that fail or never end.
#include "sieve/site/programs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>

#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/random.h"

namespace postern::site {
namespace {

using testing::HasSubstr;
using testing::Not;

class ProgramsTest : public testing::Test {
 protected:
  ProgramsTest() : folder_(testing::TempDir() + "programs-" + random_hex(8)) {
    std::signal(SIGPIPE, SIG_IGN);  // as the fork server does
    std::filesystem::create_directory(folder_);
    EXPECT_TRUE(config_.set("sieve.program_directory=" + folder_));
  }
  ~ProgramsTest() override { std::filesystem::remove_all(folder_); }

  void program(const std::string& name, const std::string& text) {
    const std::string path = folder_ + '/' + name;
    ASSERT_TRUE(replace_file(path, "#!/bin/sh\n" + text + "\n"));
    ::chmod(path.c_str(), 0700);
  }
  Result<void> run(const sieve::Pipe& call, std::string_view message) {
    return Programs::from(config_).run(call, message, {"anna", "a@example.org", "b@c", "host"});
  }
  std::string written(const std::string& name) { return read_file(folder_ + '/' + name).value(); }

  std::string folder_;
  config::Config config_ = config::Config::parse("").value();
};

TEST_F(ProgramsTest, GetsArgumentsMessageAndAClearedEnvironment) {
  ::setenv("SECRET", "of ours", 1);
  program("save", "cat > " + folder_ + "/message; echo \"$1|$2\" > " + folder_ +
                      "/arguments; env > " + folder_ + "/environment");
  const std::string message = "Subject: x\r\n\r\n" + std::string(300'000, 'y') + "\r\n";
  const auto ran = run({"save", {"one $(two)", "three"}}, message);
  ASSERT_TRUE(ran) << ran.error().text;
  EXPECT_EQ(written("message"), message);
  EXPECT_EQ(written("arguments"), "one $(two)|three\n");
  EXPECT_THAT(written("environment"), HasSubstr("USER=anna\n"));
  EXPECT_THAT(written("environment"), HasSubstr("SENDER=a@example.org\n"));
  EXPECT_THAT(written("environment"), Not(HasSubstr("SECRET")));
}

TEST_F(ProgramsTest, AnExitStatusIsAnErrorWithWhatWasPrinted) {
  program("fail", "echo no luck >&2; exit 3");
  const auto ran = run({"fail", {}}, std::string(1 << 20, 'x'));  // which it doesn't read
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().code, Errc::io);
  EXPECT_THAT(ran.error().text, HasSubstr("exit 3: no luck"));
}

TEST_F(ProgramsTest, EndlessOutputAndEndlessTimeAreCut) {
  EXPECT_TRUE(config_.set("sieve.program_timeout=300ms"));
  program("chatter", "yes");
  program("sleeper", "sleep 600 & echo $! > " + folder_ + "/pid; wait");
  const auto start = steady_millis();
  EXPECT_EQ(run({"chatter", {}}, "x").error().code, Errc::timed_out);
  EXPECT_EQ(run({"sleeper", {}}, "x").error().code, Errc::timed_out);
  EXPECT_LT(steady_millis() - start, 20'000);
  // What it had started has gone with it; init, or we, reap it.
  const int pid = std::stoi(written("pid"));
  for (int tries = 0; ::kill(pid, 0) == 0 && tries < 10'000; ++tries) {
    const auto state = read_file("/proc/" + std::to_string(pid) + "/stat");
    if (!state || state->find(") Z ") != std::string::npos) break;
    ::usleep(1000);
  }
  const auto state = read_file("/proc/" + std::to_string(pid) + "/stat");
  EXPECT_TRUE(!state || state->find(") Z ") != std::string::npos);
}

TEST_F(ProgramsTest, OnlyWhatIsInTheFolderRuns) {
  EXPECT_EQ(run({"missing", {}}, "x").error().code, Errc::no_such_object);
  ASSERT_TRUE(replace_file(folder_ + "/plain", "#!/bin/sh\n"));
  ::chmod((folder_ + "/plain").c_str(), 0600);
  EXPECT_EQ(run({"plain", {}}, "x").error().code, Errc::no_such_object);
  EXPECT_TRUE(config_.set("sieve.program_directory="));
  EXPECT_EQ(run({"save", {}}, "x").error().code, Errc::no_such_object);
}

}  // namespace
}  // namespace postern::site
