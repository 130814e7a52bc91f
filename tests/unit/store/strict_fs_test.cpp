// store.strict_fsync: whoever is told that something is durable can rely on its name too.
#include "lib/store/strict_fs.h"

#include <fcntl.h>

#include <algorithm>

#include "tests/unit/store/fixture.h"

namespace postern::store::testing {
namespace {

class CountingFs : public StrictFs {
 public:
  std::vector<std::string> synced;

 protected:
  Result<void> sync_directory(const std::string& path) override {
    synced.push_back(path);
    return StrictFs::sync_directory(path);
  }
};

class StrictFsTest : public StoreTest {
 protected:
  StrictFsTest() { replace_fs(&counting); }
  ~StrictFsTest() override { replace_fs(nullptr); }
  [[nodiscard]] bool was_synced(const std::string& path) const {
    return std::ranges::find(counting.synced, path) != counting.synced.end();
  }
  CountingFs counting;
};

TEST_F(StrictFsTest, NamesAreSyncedWithTheNextFileAndOnce) {
  const std::string below = directory.path() + "/a";
  ASSERT_TRUE(fs().make_directory(below).has_value());
  const Fd file = fs().open(below + "/one", O_WRONLY | O_CREAT).value();
  EXPECT_TRUE(counting.synced.empty());
  ASSERT_TRUE(fs().sync(file.get()).has_value());
  EXPECT_EQ(counting.synced, (std::vector<std::string>{directory.path(), below}));
  ASSERT_TRUE(fs().sync_data(file.get()).has_value());
  EXPECT_EQ(counting.synced.size(), 2U);
  ASSERT_TRUE(fs().rename(below + "/one", directory.path() + "/two").has_value());
  ASSERT_TRUE(fs().remove_directory(below).has_value());
  ASSERT_TRUE(fs().sync_data(file.get()).has_value());
  EXPECT_EQ(counting.synced.size(), 4U);
}

TEST_F(StrictFsTest, ADeliverySyncsTheDirectoriesOfAllRecipients) {
  const auto anna = make("user/anna"), bob = make("user/bob");
  for (const auto& entry : {anna, bob})
    EXPECT_TRUE(was_synced(store->directory_of(entry.id, "default").value()));
  counting.synced.clear();
  Staged staged = store->stage();
  ASSERT_TRUE(staged.add(mail(1)).has_value());
  const std::vector<DeliveryTarget> targets{{anna, {}}, {bob, {}}};
  for (const auto& result : store->deliver(staged, 1'700'000'000, targets))
    ASSERT_TRUE(result.has_value());
  for (const auto& entry : {anna, bob})
    EXPECT_TRUE(was_synced(store->directory_of(entry.id, "default").value()));
}

}  // namespace
}  // namespace postern::store::testing
