#include "lib/net/stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "lib/net/fd_passing.h"

namespace postern::net {
namespace {

using std::chrono::milliseconds;

class StreamTest : public testing::Test {
 protected:
  StreamTest() : pair_(make_stream_pair().value()), stream_(std::move(pair_.a)) {
    stream_.set_limits({milliseconds(5000), milliseconds(5000)});
  }
  void peer_sends(std::string_view bytes) { ASSERT_TRUE(write_all(pair_.b.get(), bytes)); }
  /// What has arrived at the peer so far.
  std::string peer_has() {
    char buffer[1 << 17];
    const ssize_t got = ::recv(pair_.b.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    return got > 0 ? std::string(buffer, static_cast<std::size_t>(got)) : std::string();
  }

  Pair pair_;
  Stream stream_;
};

TEST_F(StreamTest, ReadsLinesWithEitherLineEnd) {
  peer_sends("one\r\ntwo\n\r\nrest");
  EXPECT_EQ(stream_.read_line(100)->text, "one");
  const auto second = stream_.read_line(100);
  EXPECT_EQ(second->text, "two");
  EXPECT_FALSE(second->crlf);
  EXPECT_EQ(stream_.read_line(100)->text, "");
  EXPECT_EQ(stream_.buffered(), "rest");
  EXPECT_EQ(stream_.take_unread(), "rest");
  EXPECT_FALSE(stream_.more_input_buffered());
  EXPECT_EQ(stream_.counters().in, 15U);
}

TEST_F(StreamTest, UnreadOctetsComeBeforeTheSockets) {
  Stream resumed(stream_.release(), "begin");
  peer_sends("-end\r\n");
  EXPECT_EQ(resumed.read_line(100)->text, "begin-end");
}

TEST_F(StreamTest, LineOverTheLimitCanBeSkipped) {
  peer_sends("0123456789\r\n01234567890\r\nnext\r\n");
  EXPECT_EQ(stream_.read_line(10)->text, "0123456789");
  EXPECT_EQ(stream_.read_line(10).error().code, Errc::too_big);
  ASSERT_TRUE(stream_.skip_line());
  EXPECT_EQ(stream_.read_line(10)->text, "next");
}

TEST_F(StreamTest, LineOverTheLimitIsNoticedBeforeItsEnd) {
  peer_sends(std::string(2000, 'x'));
  EXPECT_EQ(stream_.read_line(1000).error().code, Errc::too_big);
}

TEST_F(StreamTest, LinesLongerThanTheBufferAreRead) {
  const std::string line(300'000, 'y');
  std::thread peer([&] { peer_sends("first\r\n" + line + "\r\n"); });
  EXPECT_EQ(stream_.read_line(100)->text, "first");
  const auto read = stream_.read_line(400'000);
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->text == line);
  peer.join();
}

TEST_F(StreamTest, ReadsExactlyAndStreams) {
  peer_sends("abcdefNOOP\r\n");
  EXPECT_EQ(stream_.read_exactly(std::size_t{4}).value(), "abcd");
  ASSERT_TRUE(stream_.skip(2));
  EXPECT_EQ(stream_.read_line(100)->text, "NOOP");
}

TEST_F(StreamTest, OutputLeavesWhenInputIsWaitedForAndNotBefore) {
  stream_.write("250 one\r\n");
  stream_.write("250 two\r\n");
  EXPECT_EQ(peer_has(), "");
  peer_sends("A\r\n");
  EXPECT_EQ(stream_.read_line(100)->text, "A");
  EXPECT_EQ(peer_has(), "") << "input was there: nothing had to be sent";
  EXPECT_FALSE(stream_.wait_readable({}).value());
  EXPECT_EQ(peer_has(), "250 one\r\n250 two\r\n");
}

TEST_F(StreamTest, AwakeOrAsleepTheAnswerIsTheSame) {
  const Patience asleep{.wait = milliseconds(5)};
  const Patience awake{.wait = milliseconds(5), .awake = std::chrono::milliseconds(1)};
  for (const Patience& patience : {asleep, awake, awake, asleep, awake}) {
    peer_sends("A\r\n");
    EXPECT_TRUE(stream_.wait_readable(patience).value());
    EXPECT_EQ(stream_.read_line(100)->text, "A");
    stream_.write("250 one\r\n");
    EXPECT_FALSE(stream_.wait_readable(patience).value());
    EXPECT_EQ(peer_has(), "250 one\r\n") << "it left before the wait";
  }
  pair_.b.reset();
  EXPECT_TRUE(stream_.wait_readable(awake).value()) << "the end counts as input";
}

TEST_F(StreamTest, EndOfInputIsClosed) {
  peer_sends("last\r\nhalf");
  pair_.b.reset();
  EXPECT_EQ(stream_.read_line(100)->text, "last");
  EXPECT_EQ(stream_.read_line(100).error().code, Errc::closed);
  EXPECT_EQ(stream_.buffered(), "half");
}

TEST_F(StreamTest, SilenceTimesOut) {
  stream_.set_limits({milliseconds(10), milliseconds(10)});
  peer_sends("half a line");
  EXPECT_EQ(stream_.read_line(100).error().code, Errc::timed_out);
}

TEST_F(StreamTest, InterruptEndsTheWait) {
  stream_.set_interrupt([] { return true; });
  EXPECT_EQ(stream_.read_line(100).error().code, Errc::unavailable);
}

TEST_F(StreamTest, PeerThatReadsNothingTimesOutAndErrorsStick) {
  stream_.set_limits({milliseconds(10), milliseconds(10)});
  const std::string piece(60'000, 'z');
  for (int i = 0; i < 100 && !stream_.broken(); ++i) stream_.write(piece);
  EXPECT_TRUE(stream_.broken());
  EXPECT_EQ(stream_.flush().error().code, Errc::timed_out);
  stream_.write("more");
  EXPECT_EQ(stream_.flush().error().code, Errc::timed_out);
}

TEST_F(StreamTest, GonePeerIsClosedWithoutASignal) {
  pair_.b.reset();
  stream_.write("x");
  EXPECT_EQ(stream_.flush().error().code, Errc::closed);
}

TEST_F(StreamTest, LargeWritesKeepTheirOrder) {
  const std::string large(200'000, 'L');
  std::string got;
  std::thread peer([&] {
    char buffer[65536];
    for (ssize_t n; (n = ::read(pair_.b.get(), buffer, sizeof buffer)) > 0;)
      got.append(buffer, static_cast<std::size_t>(n));
  });
  stream_.write("head ");
  stream_.write(large);
  char* const room = stream_.room(5);
  std::memcpy(room, " tail", 5);
  stream_.wrote(5);
  ASSERT_TRUE(stream_.flush());
  EXPECT_EQ(stream_.counters().out, 200'010U);
  stream_.release().reset();
  peer.join();
  EXPECT_TRUE(got == "head " + large + " tail");
}

TEST_F(StreamTest, ShutDownWritesStillReadsAndTracesWhatPasses) {
  const std::string folder = testing::TempDir() + "trace-" + std::to_string(::getpid());
  std::filesystem::create_directories(folder + "/anna");
  EXPECT_EQ(Trace::begin(folder, "bob", "imap", 1), nullptr);
  EXPECT_EQ(Trace::begin(folder, "../anna", "imap", 1), nullptr);
  stream_.set_trace(Trace::begin(folder, "anna", "imap", 0x1f));
  peer_sends("in\r\n");
  EXPECT_TRUE(stream_.read_line(10));
  stream_.write("out\r\n");
  EXPECT_TRUE(stream_.flush());
  const std::string trace = read_file(folder + "/anna/imap-1f.trace").value();
  EXPECT_THAT(trace, testing::HasSubstr("4 octets\nin\r\n"));
  EXPECT_THAT(trace, testing::HasSubstr("5 octets\nout\r\n"));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace postern::net
