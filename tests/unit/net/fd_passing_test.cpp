#include "lib/net/fd_passing.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>

namespace postern::net {
namespace {

TEST(FdPassing, DescriptorsArriveWithTheirMessageAndCloseOnExec) {
  const Pair pair = make_seqpacket_pair().value();
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  const Fd reader(pipe_ends[0]);
  Fd writer(pipe_ends[1]);
  const std::array sent{writer.get()};
  ASSERT_TRUE(send_message(pair.a.get(), "record", sent));
  ASSERT_TRUE(send_message(pair.a.get(), "plain"));
  const auto first = receive_message(pair.b.get(), 100);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->bytes, "record");
  ASSERT_EQ(first->descriptors.size(), 1U);
  EXPECT_NE(::fcntl(first->descriptors[0].get(), F_GETFD) & FD_CLOEXEC, 0);
  writer.reset();
  ASSERT_TRUE(write_all(first->descriptors[0].get(), "x"));
  char c = 0;
  EXPECT_EQ(::read(reader.get(), &c, 1), 1);
  const auto second = receive_message(pair.b.get(), 100);
  EXPECT_EQ(second->bytes, "plain");
  EXPECT_TRUE(second->descriptors.empty());
}

TEST(FdPassing, EmptyQueueFullQueueAndGonePeerAreDifferentErrors) {
  Pair pair = make_seqpacket_pair().value();
  EXPECT_EQ(receive_message(pair.b.get(), 100, Wait::no).error().code, Errc::unavailable);
  Result<void> sent;
  for (int i = 0; i < 100'000 && sent; ++i) sent = send_message(pair.a.get(), "x", {}, Wait::no);
  EXPECT_EQ(sent.error().code, Errc::unavailable);
  pair.b.reset();
  EXPECT_EQ(send_message(pair.a.get(), "x").error().code, Errc::closed);
  EXPECT_EQ(receive_message(pair.a.get(), 100).error().code, Errc::closed);
}

TEST(FdPassing, MessageLongerThanTheBufferIsAnErrorNotATornRecord) {
  const Pair pair = make_seqpacket_pair().value();
  ASSERT_TRUE(send_message(pair.a.get(), "0123456789"));
  EXPECT_EQ(receive_message(pair.b.get(), 5).error().code, Errc::too_big);
}

TEST(FdPassing, DescriptorDroppedAtTheLimitIsNoticed) {
  const Pair pair = make_seqpacket_pair().value();
  const std::array sent{pair.a.get()};
  ASSERT_TRUE(send_message(pair.a.get(), "record", sent));
  rlimit old{};
  ::getrlimit(RLIMIT_NOFILE, &old);
  const Fd next(::dup(0));
  const rlimit tight{static_cast<rlim_t>(next.get()) + 1, old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  const auto got = receive_message(pair.b.get(), 100);
  ::setrlimit(RLIMIT_NOFILE, &old);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Errc::limit);
}

}  // namespace
}  // namespace postern::net
