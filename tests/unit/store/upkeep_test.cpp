// What time does to a store: files of expunged messages, tombstones and the floor below which they
// are forgotten; and what grows: keywords.
#include <filesystem>

#include "lib/base/clock.h"
#include "lib/store/fs.h"
#include "tests/unit/store/fixture.h"

namespace postern::store::testing {
namespace {

class UpkeepTest : public StoreTest {
 protected:
  UpkeepTest() { on_day(0); }
  ~UpkeepTest() override { set_wall_micros_for_tests(0); }
  static void on_day(std::int64_t day) {
    set_wall_micros_for_tests((kStart + day * 86'400) * 1'000'000);
  }
  /// Expunges these seqnums of what is live now; gives the modseq.
  static ModSeq expunge(Mailbox& mailbox, std::initializer_list<std::uint32_t> seqnums) {
    const View view = mailbox.snapshot();
    std::vector<RecNo> records;
    for (const std::uint32_t n : seqnums) records.push_back(view.at(SeqNum(n)));
    return mailbox.expunge(records, false).value().modseq;
  }
  [[nodiscard]] std::string folder(const meta::MailboxEntry& entry) const {
    return store->directory_of(entry.id, "default").value();
  }
  void expect_sound(const meta::MailboxEntry& entry) {
    const auto findings = check(*store, entry, {.full = true}).value();
    for (const Finding& finding : findings)
      ADD_FAILURE() << name_of(finding.kind) << ": " << finding.what;
  }
  static constexpr std::int64_t kStart = 1'800'000'000;
};

struct Killed {};  // stands for the end of the process at that place

/// Only so many files can be unlinked while this lives; then the process is as good as killed.
class UnlinksStop final : public Fs {
 public:
  explicit UnlinksStop(int after) : left_(after) { replace_fs(this); }
  ~UnlinksStop() override { replace_fs(nullptr); }
  Result<void> unlink(const std::string& path) override {
    if (left_-- > 0) return Fs::unlink(path);
    return fail(Errc::io, "{}: killed", path);
  }

 private:
  int left_;
};

TEST_F(UpkeepTest, AnExpungeFreesItsQuotaAndIsDueForCleaning) {
  const auto inbox = make("user/anna");
  for (int i = 1; i <= 3; ++i) put(inbox, mail(i));
  auto mailbox = store->open_mailbox(inbox).value();
  expunge(*mailbox, {2});
  EXPECT_EQ(meta.usage[inbox.id].messages, 2U);
  EXPECT_EQ(meta.usage[inbox.id].bytes, 2 * mail(1).size());
  EXPECT_EQ(meta.usage[inbox.id].due, kStart + 7 * 86'400);
}

TEST_F(UpkeepTest, ADirectoryIsKnownFromBeforeItIsMadeUntilItIsGone) {
  const auto unlisted = [&] { return meta.unlisted(INT64_MAX, {}, 9).value(); };
  const auto box = make("user/anna/box");
  put(box, mail(1));
  EXPECT_TRUE(unlisted().empty());
  EXPECT_EQ(store->create(box.name, meta::Acl()).error().code, Errc::mailbox_exists);
  EXPECT_TRUE(unlisted().empty());
  ASSERT_TRUE(store->erase(box).has_value());
  ASSERT_EQ(unlisted().size(), 1U);
  EXPECT_EQ(unlisted()[0].id, box.id);
  EXPECT_TRUE(std::filesystem::exists(folder(box) + "/1."));
  ASSERT_TRUE(store->remove_directory(box.id, "default").has_value());
  EXPECT_FALSE(std::filesystem::exists(folder(box)));
  EXPECT_TRUE(unlisted().empty());
}

TEST_F(UpkeepTest, ARemovalThatWasKilledAnywhereIsFinishedByTheNext) {
  for (int files = 0; files < 12; ++files) {
    const auto box = make("user/anna/box");
    put(box, mail(1));
    const std::string where = folder(box);
    ASSERT_TRUE(store->erase(box).has_value());
    bool gone = false;
    {
      UnlinksStop stop(files);
      gone = store->remove_directory(box.id, "default").has_value();
    }
    // What is left says so itself, for a time when the metadata is lost.
    EXPECT_TRUE(gone || abandoned_since(*store, where).value().has_value()) << files;
    EXPECT_EQ(meta.unlisted(INT64_MAX, {}, 9).value().empty(), gone);
    EXPECT_TRUE(store->remove_directory(box.id, "default").has_value());
    EXPECT_FALSE(std::filesystem::exists(where));
    EXPECT_TRUE(meta.unlisted(INT64_MAX, {}, 9).value().empty());
    if (gone) return;
  }
  FAIL() << "a directory of more than a dozen files";
}

TEST_F(UpkeepTest, ACreateThatStoppedHalfWayIsFoundAndRemoved) {
  meta.at_create = [] { throw Killed(); };
  EXPECT_THROW((void)store->create(name("user/anna/box"), meta::Acl()), Killed);
  const auto left = meta.unlisted(INT64_MAX, {}, 9).value();
  ASSERT_EQ(left.size(), 1U);
  const std::string where = store->directory_of(left[0].id, left[0].partition).value();
  EXPECT_TRUE(std::filesystem::exists(where));
  EXPECT_TRUE(store->remove_directory(left[0].id, left[0].partition).has_value());
  EXPECT_FALSE(std::filesystem::exists(where));
}

TEST_F(UpkeepTest, ADeleteThatStoppedHalfWayIsDueAndUndone) {
  const auto box = make("user/anna/box");
  put(box, mail(1));
  meta.at_erase = [] { throw Killed(); };
  EXPECT_THROW((void)store->erase(box), Killed);
  EXPECT_EQ(store->open_mailbox(box).error().code, Errc::mailbox_deleted);
  EXPECT_EQ(meta.usage[box.id].due, kStart + 60);
  set_wall_micros_for_tests((kStart + 61) * 1'000'000);
  ASSERT_TRUE(store->clean(box).has_value());
  EXPECT_TRUE(store->open_mailbox(box).has_value());
  EXPECT_EQ(meta.usage[box.id].due, 0);
}

TEST_F(UpkeepTest, FilesOfExpungedMessagesStayForTheirTimeAndTombstonesLonger) {
  const auto inbox = make("user/anna");
  for (int i = 1; i <= 4; ++i) put(inbox, mail(i));
  auto mailbox = store->open_mailbox(inbox).value();
  View held = mailbox->snapshot();
  const ModSeq before = held.mark().told_expunge;
  expunge(*mailbox, {1, 3});
  on_day(6);
  ASSERT_TRUE(store->clean(inbox).has_value());
  EXPECT_TRUE(mailbox->message(held.at(SeqNum(1))).has_value());
  on_day(8);
  ASSERT_TRUE(store->clean(inbox).has_value());
  EXPECT_FALSE(std::filesystem::exists(folder(inbox) + "/1."));
  EXPECT_TRUE(std::filesystem::exists(folder(inbox) + "/2."));
  EXPECT_EQ(mailbox->message(held.at(SeqNum(1))).error().code, Errc::expunged);
  EXPECT_EQ(mailbox->changes_since(before).vanished, (std::vector<Uid>{Uid(1), Uid(3)}));
  EXPECT_EQ(mailbox->view_at(held.mark()).value().exists(), 4U);
  EXPECT_EQ(meta.usage[inbox.id].due, 0);
  expect_sound(inbox);
}

TEST_F(UpkeepTest, TombstonesAreForgottenBelowTheFloorOnly) {
  const auto inbox = make("user/anna");
  for (int i = 1; i <= 8; ++i) put(inbox, mail(i), {flag::flagged, {fmt::format("k{}", i)}});
  auto mailbox = store->open_mailbox(inbox).value();
  const ViewMark old_mark = mailbox->snapshot().mark();
  const ModSeq floor = expunge(*mailbox, {1, 2, 3, 4});
  const ViewMark young_mark = mailbox->snapshot().mark();
  on_day(20);
  expunge(*mailbox, {1});  // uid 5
  View current = mailbox->snapshot();
  // Another process that has the mailbox open meanwhile.
  const auto other = std::move(Store::open(config, meta, board).value());
  auto elsewhere = other->open_mailbox(inbox).value();
  View theirs = elsewhere->snapshot();
  on_day(35);
  ASSERT_TRUE(store->clean(inbox).has_value());
  EXPECT_TRUE(mailbox->changes_since(ModSeq(floor.value() - 1)).below_floor);
  EXPECT_EQ(mailbox->view_at(old_mark).error().code, Errc::conflict);
  const auto since = mailbox->changes_since(floor);
  EXPECT_EQ(since.vanished, std::vector<Uid>{Uid(5)});
  EXPECT_FALSE(since.below_floor);
  EXPECT_TRUE(since.changed.empty());
  const View young = mailbox->view_at(young_mark).value();
  EXPECT_EQ(uids(*mailbox, young), (std::vector<Uid>{Uid(5), Uid(6), Uid(7), Uid(8)}));
  // Its record numbers are those of other messages now.
  const std::vector<RecNo> old{theirs.at(SeqNum(1))};
  const auto copies = make("user/anna/Copies");
  EXPECT_EQ(other->copy(*elsewhere, old, copies).error().code, Errc::unavailable);
  EXPECT_EQ(other->move(*elsewhere, old, copies).error().code, Errc::unavailable);
  EXPECT_TRUE(elsewhere->is_stale(theirs));
  for (Mailbox* each : {mailbox.get(), elsewhere.get()}) {
    View& view = each == mailbox.get() ? current : theirs;
    const Changes none = each->advance(view, true).value();
    EXPECT_TRUE(none.expunged.empty() && none.changed.empty() && !none.grown);
    EXPECT_EQ(uids(*each, view), (std::vector<Uid>{Uid(6), Uid(7), Uid(8)}));
    EXPECT_EQ(each->flags(view.at(SeqNum(3))).system, flag::flagged);
    EXPECT_EQ(each->flags(view.at(SeqNum(3))).keywords, std::uint64_t{1} << 7);
    EXPECT_EQ(each->message(view.at(SeqNum(1))).value().bytes(), mail(6));
  }
  put(inbox, mail(9));
  EXPECT_EQ(elsewhere->advance(theirs, true).value().exists, 4U);
  expect_sound(inbox);
  reopen();
  mailbox = store->open_mailbox(inbox).value();
  EXPECT_TRUE(mailbox->changes_since(ModSeq(floor.value() - 1)).below_floor);
  EXPECT_EQ(mailbox->changes_since(floor).vanished, std::vector<Uid>{Uid(5)});
  EXPECT_EQ(mailbox->status().uidnext, Uid(10));
  expect_sound(inbox);
}

TEST_F(UpkeepTest, KeywordsByTheThousand) {
  constexpr int kMany = 4'000;
  const auto inbox = make("user/anna");
  NamedFlags all;
  for (int i = 0; i < kMany; ++i) all.keywords.push_back(fmt::format("keyword-{}", i));
  put(inbox, mail(1), all);
  for (int i = 2; i <= 40; ++i)  // each with a set of its own
    put(inbox, mail(i), {0, {fmt::format("keyword-{}", i * 97), fmt::format("keyword-{}", i)}});
  auto mailbox = store->open_mailbox(inbox).value();
  const View view = mailbox->snapshot();
  EXPECT_EQ(mailbox->keywords().size(), static_cast<std::size_t>(kMany));
  EXPECT_EQ(mailbox->flags(view.at(SeqNum(1))).more.size(), kMany - 64U);
  EXPECT_EQ(mailbox->flags(view.at(SeqNum(40))).more, std::vector<KeywordNo>{KeywordNo(3880)});
  const auto copy = make("user/anna/Copy");
  std::vector<RecNo> records;
  for (std::uint32_t n = 1; n <= view.exists(); ++n) records.push_back(view.at(SeqNum(n)));
  ASSERT_TRUE(store->copy(*mailbox, records, copy).has_value());
  reopen();
  auto there = store->open_mailbox(copy).value();
  const View copied = there->snapshot();
  EXPECT_EQ(there->flags(copied.at(SeqNum(1))).more.size(), kMany - 64U);
  const Flags last = there->flags(copied.at(SeqNum(40)));
  ASSERT_EQ(last.more.size(), 1U);
  EXPECT_EQ(there->keywords()[last.more[0].value()], "keyword-3880");
  expect_sound(inbox);
  expect_sound(copy);
}

}  // namespace
}  // namespace postern::store::testing
