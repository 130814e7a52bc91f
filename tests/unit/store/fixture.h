// A store in a directory of its own, for the store's tests.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/xattr.h>

#include <filesystem>
#include <string>

#include "lib/store/check.h"
#include "lib/store/store.h"
#include "tests/unit/store/memory_meta.h"

namespace postern::store::testing {

/// Made once in a process; removed with everything in it.
class TempDirectory {
 public:
  TempDirectory() {
    // In memory where that is possible: these tests cut no power, and wait for no disk.
    for (std::string name : {"/dev/shm/postern-store-XXXXXX", "/tmp/postern-store-XXXXXX"}) {
      if (::mkdtemp(name.data()) == nullptr) continue;
      path_ = name;
      if (::setxattr(name.c_str(), "user.p", "x", 1, 0) == 0) return;
      std::filesystem::remove(name);
    }
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  ~TempDirectory() { std::filesystem::remove_all(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline config::Config config_for(const std::string& spool) {
  auto config = config::Config::parse("[partition.default]\npath = \"" + spool + "\"\n");
  return config.value();
}

inline meta::MailboxName name(std::string_view text) {
  return meta::MailboxName::from_utf8(text).value();
}

inline std::string mail(int number, std::size_t body = 200) {
  return fmt::format(
      "From: a{0}@example.org\r\nTo: anna@example.org\r\nSubject: number {0}\r\n"
      "Date: Mon, 01 Jan 2024 00:00:{1:02} +0000\r\nMessage-ID: <m{0}@example.org>\r\n\r\n{2}\r\n",
      number, number % 60, std::string(body, 'x'));
}

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() : board(ChangeBoard::private_board()), config(config_for(directory.path())) {
    reopen();
  }
  /// As another process would see it.
  void reopen() {
    store.reset();
    store = std::move(Store::open(config, meta, board).value());
  }
  meta::MailboxEntry make(std::string_view text) {
    return store->create(name(text), meta::Acl()).value();
  }
  Uid put(const meta::MailboxEntry& entry, const std::string& text, NamedFlags flags = {}) {
    Staged staged = store->stage();
    EXPECT_TRUE(staged.add(text).has_value());
    const DeliveryTarget target{entry, std::move(flags)};
    auto results = store->deliver(staged, 1'700'000'000, std::span(&target, 1));
    EXPECT_TRUE(results[0].has_value()) << results[0].error().text;
    return results[0].has_value() ? results[0]->uid : Uid();
  }
  static std::vector<Uid> uids(Mailbox& mailbox, const View& view) {
    std::vector<Uid> found;
    for (auto r = view.next_from(RecNo(0)); r; r = view.next_from(r->next()))
      found.push_back(mailbox.uid(*r));
    return found;
  }

  TempDirectory directory;
  MemoryMeta meta;
  ChangeBoard board;
  config::Config config;
  std::unique_ptr<Store> store;
};

}  // namespace postern::store::testing
