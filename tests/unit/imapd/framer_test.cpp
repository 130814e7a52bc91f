#include "imapd/framer.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <thread>

namespace postern::imap {
namespace {

struct Pair {
  Pair() {
    int fds[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    peer = Fd(fds[0]);
    stream.emplace(Fd(fds[1]));
  }
  void send(std::string_view bytes) { EXPECT_TRUE(write_all(peer.get(), bytes)); }
  std::string answer() {
    EXPECT_TRUE(stream->flush());
    char buffer[4096];
    const ssize_t got = ::recv(peer.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    return got > 0 ? std::string(buffer, static_cast<std::size_t>(got)) : "";
  }
  Result<Framed> read(const LiteralPolicy& policy, FrameLimits limits = {}) {
    return read_command(*stream, limits, policy);
  }
  Fd peer;
  std::optional<net::Stream> stream;
};

const LiteralPolicy kInline = [](std::string_view, const LiteralHead&) { return LiteralVerdict{}; };

LiteralPolicy refusing() {
  return [](std::string_view, const LiteralHead&) {
    return LiteralVerdict{LiteralVerdict::Kind::refuse, {}, fail(Errc::no_such_mailbox, "no")};
  };
}

TEST(Framer, ReadsACommandWithItsLiterals) {
  Pair pair;
  pair.send("a LOGIN {4}\r\nanna {4+}\r\npass\r\nb NOOP\r\n");
  const auto framed = pair.read(kInline);
  ASSERT_TRUE(framed);
  EXPECT_EQ(framed->text, "a LOGIN {4}\r\nanna {4+}\r\npass");
  EXPECT_EQ(pair.answer(), "+ Ready for the literal\r\n");
  EXPECT_EQ(pair.read(kInline)->text, "b NOOP");
}

TEST(Framer, HoldsWhatThePolicyWantsHeld) {
  Pair pair;
  std::string message;
  const LiteralPolicy hold = [&message](std::string_view text, const LiteralHead& head) {
    EXPECT_EQ(text, "a APPEND x ~{5+}");
    EXPECT_TRUE(head.binary);
    return LiteralVerdict{LiteralVerdict::Kind::hold,
                          [&message](std::string_view bytes) -> Result<void> {
                            message += bytes;
                            return {};
                          },
                          {}};
  };
  pair.send("a APPEND x ~{5+}\r\nhello\r\n");
  const auto framed = pair.read(hold);
  ASSERT_TRUE(framed);
  EXPECT_EQ(framed->text, "a APPEND x ~{5+}\r\n");
  EXPECT_EQ(framed->held, std::vector<std::size_t>{11});
  EXPECT_EQ(message, "hello");
}

TEST(Framer, ARefusedSynchronizingLiteralEndsTheCommand) {
  Pair pair;
  pair.send("a APPEND x {5}\r\nb NOOP\r\n");
  const auto framed = pair.read(refusing());
  ASSERT_TRUE(framed);
  EXPECT_EQ(framed->refused->code, Errc::no_such_mailbox);
  EXPECT_EQ(framed->text, "a APPEND x {5}");
  EXPECT_EQ(pair.answer(), "");
  EXPECT_EQ(pair.read(kInline)->text, "b NOOP");
}

TEST(Framer, ARefusedLiteralThatComesAnywayIsDroppedWithTheRestOfItsCommand) {
  Pair pair;
  pair.send("a APPEND x {5+}\r\nhello {3+}\r\nabc\r\nb NOOP\r\n");
  EXPECT_TRUE(pair.read(refusing())->refused);
  EXPECT_EQ(pair.read(kInline)->text, "b NOOP");
}

TEST(Framer, ARefusedLiteralFarBeyondTheLimitIsNotRead) {
  Pair pair;
  pair.send("a APPEND x {500000000+}\r\n");
  const auto framed = pair.read(refusing());
  ASSERT_FALSE(framed);
  EXPECT_EQ(framed.error().code, Errc::limit);
}

TEST(Framer, ALongLineIsDroppedButItsTagIsKnown) {
  Pair pair;
  pair.send("a SEARCH " + std::string(5000, 'x') + "\r\nb NOOP\r\n");
  FrameLimits limits;
  limits.text = 1000;
  const auto framed = pair.read(kInline, limits);
  ASSERT_TRUE(framed);
  EXPECT_EQ(framed->refused->code, Errc::too_big);
  EXPECT_EQ(framed->text.substr(0, 9), "a SEARCH ");
  EXPECT_EQ(pair.read(kInline)->text, "b NOOP");
}

TEST(Framer, LiteralsCountForTheLimitOfACommand) {
  Pair pair;
  FrameLimits limits;
  limits.text = 100;
  pair.send("a LOGIN {90}\r\nb NOOP\r\n");
  EXPECT_EQ(pair.read(kInline, limits)->refused->code, Errc::too_big);
  EXPECT_EQ(pair.read(kInline, limits)->text, "b NOOP");
}

}  // namespace
}  // namespace postern::imap
