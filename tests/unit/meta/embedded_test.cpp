// What only the embedded form shows: pages, the sweep, the lock of the home.
#include "lib/meta/embedded.h"

#include <gtest/gtest.h>

#include "tests/unit/meta/fixture.h"

namespace postern::meta {
namespace {

class EmbeddedTest : public MetaTest {
 protected:
  void SetUp() override {
    MetaTest::SetUp();
    meta_ = EmbeddedMeta::open(home_, "test").value();
  }
  void TearDown() override {
    meta_.reset();
    MetaTest::TearDown();
  }
  Meta& meta() override { return *meta_; }
  std::unique_ptr<EmbeddedMeta> meta_;
};

TEST_F(EmbeddedTest, ListsInPagesLoseNothing) {
  create("user/anna");
  for (int i = 0; i < 300; ++i) create(fmt::format("user/anna/{:03}", i));
  for (int i = 0; i < 100; ++i) {
    create(fmt::format("user/bob/{:03}", i));
    set_acl(fmt::format("user/bob/{:03}", i), i % 2 ? "anna" : "anyone", "lr");
  }
  std::vector<ListedMailbox> all;
  ListPage page;
  int pages = 0;
  do {
    page = meta_->core().list({.who = who("anna"), .roots = {}}, page.last, 17).value();
    ASSERT_TRUE(read_page(page, who("anna"), all));
    ++pages;
  } while (page.more);
  EXPECT_GT(pages, 20);
  ASSERT_EQ(all.size(), 401U);
  for (std::size_t i = 1; i < all.size(); ++i) EXPECT_LT(all[i - 1].entry.name, all[i].entry.name);
}

TEST_F(EmbeddedTest, MarksEndWithTheirLife) {
  const Mark mark{MarkKind::delivery, "id", "<a@b>"};
  EXPECT_EQ(meta().find_mark(mark).value(), std::nullopt);
  ASSERT_TRUE(meta().set_mark(mark, "uid 7", std::chrono::hours(1)));
  EXPECT_EQ(meta().find_mark(mark).value(), "uid 7");
  EXPECT_EQ(meta().find_mark({MarkKind::vacation, "id", "<a@b>"}).value(), std::nullopt);
  const ClockAt later(wall_micros() + std::int64_t{7200} * 1'000'000);
  EXPECT_EQ(meta().find_mark(mark).value(), std::nullopt);
  auto& core = meta_->core();
  const auto swept =
      core.environment().transact([&](db::Transaction& txn) { return core.sweep_marks(txn, 100); });
  EXPECT_EQ(swept.value(), 1U);
}

TEST_F(EmbeddedTest, TheHomeHasOneUserAtATime) {
  const auto second = EmbeddedMeta::open(home_, "second");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::in_use);
  EXPECT_NE(second.error().text.find("test (pid"), std::string::npos);
}

}  // namespace
}  // namespace postern::meta
