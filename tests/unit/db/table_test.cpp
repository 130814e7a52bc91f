// Berkeley DB behind lib/db: transactions, scans, recovery, backup.
#include "lib/db/table.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <csignal>
#include <filesystem>
#include <thread>

namespace postern::db {
namespace {

class TableTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/postern-db-XXXXXX";
    home_ = ::mkdtemp(name);
  }
  void TearDown() override { std::filesystem::remove_all(home_); }

  std::unique_ptr<Environment> open(const std::string& home) {
    return std::move(Environment::open({.home = home}).value());
  }
  static void fill(Environment& env, Table& table, int count) {
    ASSERT_TRUE(env.transact([&](Transaction& txn) -> Result<void> {
      for (int i = 0; i < count; ++i) TRY(table.put(txn, fmt::format("k{:06}", i), "value"));
      return {};
    }));
  }
  static int count(Table& table, std::string_view prefix) {
    int seen = 0;
    EXPECT_TRUE(table.scan_prefix(nullptr, prefix, [&](auto, auto) { return ++seen > 0; }));
    return seen;
  }

  std::string home_;
};

TEST_F(TableTest, WhatWasNotCommittedIsGone) {
  auto env = open(home_);
  auto table = Table::open(*env, "t").value();
  {
    auto txn = env->begin().value();
    ASSERT_TRUE(table.put(txn, "a", "1"));
  }
  EXPECT_EQ(table.get(nullptr, "a").value(), std::nullopt);
  const auto failed = env->transact([&](Transaction& txn) -> Result<void> {
    TRY(table.put(txn, "b", "1"));
    return fail(Errc::conflict, "on purpose");
  });
  EXPECT_EQ(failed.error().code, Errc::conflict);
  EXPECT_EQ(table.get(nullptr, "b").value(), std::nullopt);
}

TEST_F(TableTest, PutNewRefusesAKeyThatIsThere) {
  auto env = open(home_);
  auto table = Table::open(*env, "t").value();
  auto txn = env->begin().value();
  EXPECT_TRUE(table.put_new(txn, "a", "1").value());
  EXPECT_FALSE(table.put_new(txn, "a", "2").value());
  EXPECT_EQ(table.get(&txn, "a").value(), "1");
  EXPECT_TRUE(table.erase(txn, "a").value());
  EXPECT_FALSE(table.erase(txn, "a").value());
}

TEST_F(TableTest, LargeValuesAndScansOfManyBulksComeBackWhole) {
  auto env = open(home_);
  auto table = Table::open(*env, "t").value();
  fill(*env, table, 30000);
  const std::string large(700'000, 'x');
  ASSERT_TRUE(env->transact([&](Transaction& txn) { return table.put(txn, "k015000a", large); }));
  EXPECT_EQ(table.get(nullptr, "k015000a").value(), large);
  EXPECT_EQ(count(table, "k"), 30001);
  EXPECT_EQ(count(table, "k0299"), 100);
  EXPECT_EQ(count(table, ""), 30001);
  EXPECT_EQ(count(table, "z"), 0);
}

TEST_F(TableTest, FlushedCommitsSurviveSigkill) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto env = open(home_);
    auto table = Table::open(*env, "t").value();
    fill(*env, table, 1000);
    const bool flushed = env->flush_log().has_value();
    if (::write(ready[1], flushed ? "y" : "n", 1) != 1) ::_exit(1);
    ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'y');
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  auto env = open(home_);
  auto table = Table::open(*env, "t").value();
  EXPECT_EQ(count(table, "k"), 1000);
}

TEST_F(TableTest, ABackupOpensLikeAHomeAndOldLogsGo) {
  const std::string target = home_ + "/backup";
  {
    auto env = open(home_ + "/home");
    auto table = Table::open(*env, "t").value();
    for (int round = 0; round < 12; ++round) {
      fill(*env, table, 60000);
      ASSERT_TRUE(env->checkpoint());
    }
    ASSERT_TRUE(std::filesystem::exists(home_ + "/home/log.0000000001"));
    ASSERT_TRUE(env->backup(target));
    ASSERT_TRUE(env->remove_old_logs(home_ + "/archive"));
    EXPECT_FALSE(std::filesystem::exists(home_ + "/home/log.0000000001"));
    EXPECT_TRUE(std::filesystem::exists(home_ + "/archive/log.0000000001"));
  }
  auto env = open(target);
  auto table = Table::open(*env, "t").value();
  EXPECT_EQ(count(table, "k"), 60000);
}

TEST_F(TableTest, ALostDeadlockIsRepeated) {
  auto env = open(home_);
  auto one = Table::open(*env, "one").value();
  auto two = Table::open(*env, "two").value();
  std::barrier both(2);
  std::atomic<int> runs = 0;
  const auto cross = [&](Table& first, Table& second) {
    bool met = false;
    const auto result = env->transact([&](Transaction& txn) -> Result<void> {
      ++runs;
      TRY(first.put(txn, "a", "1"));
      if (!std::exchange(met, true)) both.arrive_and_wait();
      return second.put(txn, "a", "2");
    });
    EXPECT_TRUE(result);
  };
  std::thread other([&] { cross(two, one); });
  cross(one, two);
  other.join();
  EXPECT_GE(runs.load(), 3);
}

}  // namespace
}  // namespace postern::db
