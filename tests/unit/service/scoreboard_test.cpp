#include "lib/service/scoreboard.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

namespace postern::service {
namespace {

TEST(Scoreboard, WhatOneProcessWritesTheOthersRead) {
  auto board = Scoreboard::create(1000);
  ASSERT_TRUE(board) << board.error().text;
  auto other = Scoreboard::attach(Fd{dup(board->memory_fd())}, true);
  ASSERT_TRUE(other) << other.error().text;
  other->head().services[3].name.set("imap");
  other->sessions()[999].user.set("anna");
  other->heap()[other->head().heap_size - 1] = 'x';
  EXPECT_EQ(board->find_service("imap"), 3U);
  EXPECT_EQ(board->sessions()[999].user.view(), "anna");
  EXPECT_EQ(board->find_pool("imapd"), kNone);
}

TEST(Scoreboard, OtherMemoryIsRefused) {
  Fd memory{memfd_create("test", MFD_CLOEXEC)};
  EXPECT_FALSE(Scoreboard::attach(Fd{dup(memory.get())}, false));
  ASSERT_EQ(ftruncate(memory.get(), 16 << 20), 0);
  const auto refused = Scoreboard::attach(std::move(memory), false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::corrupt);
}

TEST(FixedText, CutsWhatIsTooLong) {
  FixedText<8> text;
  text.set("a long text");
  EXPECT_EQ(text.view(), "a long ");
  text.set("b");
  EXPECT_EQ(text.view(), "b");
}

}  // namespace
}  // namespace postern::service
