#include "master/porter/heap.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <random>
#include <vector>

namespace postern::porter {
namespace {

constexpr std::size_t kSize = 1 << 20;

class HeapTest : public testing::Test {
 protected:
  HeapTest()
      : base_(static_cast<char*>(
            mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))),
        heap_(base_, kSize) {}
  ~HeapTest() override { munmap(base_, kSize); }

  char* base_;
  Heap heap_;
};

TEST_F(HeapTest, RecordsStayWholeWhateverComesAndGoes) {
  std::mt19937 random(4711);
  struct Record {
    Extent extent;
    std::string text;
  };
  std::vector<Record> records;
  for (int round = 0; round < 20'000; ++round) {
    if (!records.empty() && random() % 2 == 0) {
      const std::size_t at = random() % records.size();
      ASSERT_EQ(heap_.view(records[at].extent), records[at].text);
      heap_.release(records[at].extent);
      records.erase(records.begin() + static_cast<std::ptrdiff_t>(at));
    }
    const std::string text(random() % 3000, static_cast<char>('a' + random() % 26));
    const auto extent = heap_.store(text);
    if (extent) records.push_back({*extent, text});
    if (round % 1000 == 0) heap_.trim();
  }
  for (const Record& record : records) {
    EXPECT_EQ(heap_.view(record.extent), record.text);
    heap_.release(record.extent);
  }
  EXPECT_EQ(heap_.used(), 0U);
  EXPECT_TRUE(heap_.store(std::string(kSize, 'x')));  // one piece again
}

TEST_F(HeapTest, AFullHeapSaysSo) {
  ASSERT_TRUE(heap_.store(std::string(kSize - 64, 'x')));
  ASSERT_TRUE(heap_.store("last"));
  const auto none = heap_.store("too much");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::limit);
}

TEST_F(HeapTest, ASuccessorClaimsWhatRowsName) {
  std::vector<Extent> extents;
  for (int i = 0; i < 100; ++i) extents.push_back(*heap_.store(std::string(100 + i, 'r')));
  for (std::size_t i = 0; i < extents.size(); i += 2) heap_.release(extents[i]);
  Heap successor(base_, kSize);
  for (std::size_t i = 1; i < extents.size(); i += 2) {
    ASSERT_TRUE(successor.claim(Extent{extents[i].word()}));
    EXPECT_EQ(successor.view(extents[i]), std::string(100 + i, 'r'));
  }
  EXPECT_EQ(successor.used(), heap_.used());
  EXPECT_FALSE(successor.claim(extents[1]));
}

}  // namespace
}  // namespace postern::porter
