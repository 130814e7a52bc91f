// The \Seen of users who aren't the owner: doc/format.md, "Seen".
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fstream>
#include <map>
#include <random>

#include "lib/store/seen_ranges.h"
#include "tests/unit/store/fixture.h"

namespace postern::store::testing {
namespace {

constexpr FlagOp kAdd = FlagOp::add, kRemove = FlagOp::remove;

TEST(SeenRangesTest, ARangeInTheMiddleSplits) {
  SeenRanges ranges;
  ranges.set(SeenRange::of(1, 11, true, 5));
  ranges.set(SeenRange::of(4, 6, false, 7));
  EXPECT_EQ(ranges.all().size(), 3U);
  EXPECT_TRUE(ranges.seen(Uid(3)));
  EXPECT_FALSE(ranges.seen(Uid(4)));
  EXPECT_EQ(ranges.modseq(Uid(5)), 7U);
  EXPECT_TRUE(ranges.seen(Uid(6)));
  EXPECT_EQ(ranges.modseq(Uid(11)), 0U);
}

// Whatever the order, each uid has its newest change, and neighbours that are alike are one range.
RC_GTEST_PROP(SeenRangesTest, TheNewestChangeOfEachUidStays, ()) {
  const auto numbers = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 1 << 14));
  std::vector<SeenRange> changes;
  std::map<std::uint32_t, std::uint64_t> model;
  for (const int number : numbers) {
    const auto first = static_cast<std::uint32_t>(1 + number % 40);
    const auto count = static_cast<std::uint32_t>(1 + number / 40 % 20);
    changes.push_back(SeenRange::of(first, first + count, number % 3 != 0, 2 + changes.size()));
    for (std::uint32_t uid = first; uid < first + count; ++uid) model[uid] = changes.back().change;
  }
  const auto order = *rc::gen::arbitrary<unsigned>();
  std::shuffle(changes.begin(), changes.end(), std::minstd_rand(order));
  SeenRanges ranges;
  for (const SeenRange& change : changes) ranges.set(change);
  for (std::uint32_t uid = 1; uid < 70; ++uid) {
    const auto known = model.find(uid);
    const SeenRange* range = ranges.find(Uid(uid));
    RC_ASSERT((range == nullptr) == (known == model.end()));
    if (range != nullptr) RC_ASSERT(range->change == known->second);
  }
  for (std::size_t i = 1; i < ranges.all().size(); ++i) {
    RC_ASSERT(ranges.all()[i - 1].end() <= ranges.all()[i].first);
    RC_ASSERT(ranges.all()[i - 1].end() < ranges.all()[i].first ||
              ranges.all()[i - 1].change != ranges.all()[i].change);
  }
  SeenRanges again, fewer = ranges;
  const SeenRead read = read_seen(encode_seen(ranges.all(), 7), 7, again);
  RC_ASSERT(!read.damaged);
  RC_ASSERT(std::ranges::equal(again.all(), ranges.all()));
  // Coarser: the same is seen, and no change looks older than it is.
  fewer.coarsen(3, [](std::uint64_t, std::uint64_t) { return false; });
  for (std::uint32_t uid = 1; uid < 70; ++uid) {
    RC_ASSERT(fewer.seen(Uid(uid)) == ranges.seen(Uid(uid)));
    RC_ASSERT(fewer.modseq(Uid(uid)) >= ranges.modseq(Uid(uid)));
  }
}

TEST(SeenRangesTest, CoarseRangesCloseGapsWithoutMessages) {
  SeenRanges ranges;
  for (std::uint32_t uid = 1; uid < 1'000; uid += 2)
    ranges.set(SeenRange::of(uid, uid + 1, true, 2 + uid));
  SeenRanges closed = ranges;
  closed.coarsen(10, [](std::uint64_t, std::uint64_t) { return true; });
  EXPECT_EQ(closed.all().size(), 11U);
  ranges.coarsen(10, [](std::uint64_t, std::uint64_t) { return false; });
  EXPECT_EQ(ranges.all().size(), 500U);
}

class SeenTest : public StoreTest {
 protected:
  SeenTest() : entry(make("news")) {
    for (int number = 1; number <= 6; ++number) put(entry, mail(number));
  }
  static meta::UserName user(std::string_view text) {
    return meta::UserName::from_utf8(text).value();
  }
  std::shared_ptr<Mailbox> as(std::string_view who) {
    store->set_reader(who.empty() ? meta::UserName() : user(who));
    return store->open_mailbox(entry).value();
  }
  std::string overlay_of(std::string_view who) {
    return store->directory_of(entry.id, "default").value() + "/seen." +
           meta.user(user(who), true)->id.hex();
  }
  ModSeq mark(std::string_view who, FlagOp op, std::initializer_list<std::uint32_t> wanted) {
    auto mailbox = as(who);
    const View view = mailbox->snapshot();
    std::vector<RecNo> records;
    for (const std::uint32_t uid : wanted) records.push_back(*mailbox->find(Uid(uid)));
    const auto stored = mailbox->store_flags(records, {op, {flag::seen, {}}, {}});
    EXPECT_TRUE(stored.has_value()) << stored.error().text;
    return stored->modseq;
  }
  std::vector<std::uint32_t> seen_by(std::string_view who) {
    auto mailbox = as(who);
    const View view = mailbox->snapshot();
    std::vector<std::uint32_t> uids;
    for (auto r = view.next_from(RecNo(0)); r; r = view.next_from(r->next()))
      if ((mailbox->flags(*r).system & flag::seen) != 0) uids.push_back(mailbox->uid(*r).value());
    EXPECT_EQ(mailbox->status().unseen, view.exists() - uids.size()) << who;
    const auto first = mailbox->first_unseen(view);
    for (SeqNum n(1); n.value() <= view.exists(); n = n.next())
      if ((mailbox->flag_word(view.at(n)).system & flag::seen) == 0) {
        EXPECT_EQ(first, n) << who;
        break;
      }
    return uids;
  }
  std::size_t findings(const CheckOptions& options = {}) {
    const auto found = check(*store, entry, options).value();
    for (const Finding& finding : found)
      std::cerr << name_of(finding.kind) << ": " << finding.what << "\n";
    return found.size();
  }

  using Uids = std::vector<std::uint32_t>;
  meta::MailboxEntry entry;
};

TEST_F(SeenTest, EachReaderHasItsOwn) {
  mark("anna", kAdd, {1, 2, 3});
  mark("bob", kAdd, {3, 6});
  mark("anna", kRemove, {2});
  EXPECT_EQ(seen_by("anna"), (Uids{1, 3}));
  EXPECT_EQ(seen_by("bob"), (Uids{3, 6}));
  EXPECT_EQ(seen_by(""), Uids{});
  reopen();
  EXPECT_EQ(seen_by("anna"), (Uids{1, 3}));
  EXPECT_EQ(seen_by("bob"), (Uids{3, 6}));
  EXPECT_EQ(findings(), 0U);
}

TEST_F(SeenTest, TheOwnersIsInTheRows) {
  entry = make("user/carl/Box");
  put(entry, mail(1));
  mark("carl", kAdd, {1});
  EXPECT_FALSE(std::filesystem::exists(overlay_of("carl")));
  EXPECT_EQ(seen_by("anna"), Uids{});
  mark("anna", kAdd, {1});
  mark("carl", kRemove, {1});
  EXPECT_EQ(seen_by("anna"), Uids{1});
  EXPECT_EQ(seen_by("carl"), Uids{});
}

TEST_F(SeenTest, SharedByAllIfTheServerSaysSo) {
  ASSERT_TRUE(config.set("store.shared_seen=true").has_value());
  reopen();
  mark("anna", kAdd, {1});
  EXPECT_EQ(seen_by("bob"), Uids{1});
  EXPECT_FALSE(std::filesystem::exists(overlay_of("anna")));
}

TEST_F(SeenTest, AViewIsToldWhatItsReaderChangedElsewhereAndOthersAreNot) {
  auto mine = as("anna");
  View view = mine->snapshot();
  const ModSeq before = view.mark().told_change;
  auto theirs_store = std::move(Store::open(config, meta, board).value());
  theirs_store->set_reader(user("bob"));
  auto theirs = theirs_store->open_mailbox(entry).value();
  View their_view = theirs->snapshot();
  auto other_store = std::move(Store::open(config, meta, board).value());
  other_store->set_reader(user("anna"));
  auto other = other_store->open_mailbox(entry).value();
  const std::vector<RecNo> records{RecNo(1), RecNo(4)};
  (void)other->snapshot();
  const ModSeq at = other->store_flags(records, {kAdd, {flag::seen, {}}, {}})->modseq;
  EXPECT_GT(at, before);

  EXPECT_TRUE(mine->is_stale(view));
  const auto told = mine->advance(view, true).value();
  EXPECT_EQ(told.changed, records);
  EXPECT_EQ(mine->modseq(RecNo(4)), at);
  EXPECT_LT(mine->modseq(RecNo(0)), at);
  EXPECT_EQ(mine->changes_since(before).changed, records);
  EXPECT_TRUE(mine->advance(view, true)->changed.empty());

  EXPECT_TRUE(theirs->advance(their_view, true)->changed.empty());
  EXPECT_LT(theirs->modseq(RecNo(4)), at);
  EXPECT_TRUE(theirs->changes_since(before).changed.empty());

  // A parked view of the reader, taken up later by somebody else.
  auto parked = as("anna");
  View held = parked
                  ->view_at(ViewMark{.mailbox = entry.id,
                                     .uidvalidity = parked->uidvalidity(),
                                     .told_uidnext = view.mark().told_uidnext,
                                     .told_expunge = before,
                                     .told_change = before,
                                     .exists = 6})
                  .value();
  EXPECT_EQ(parked->advance(held, true)->changed, records);
}

TEST_F(SeenTest, OtherFlagsAreEverybodys) {
  auto mailbox = as("anna");
  (void)mailbox->snapshot();
  const std::vector<RecNo> one{RecNo(0)};
  mark("", kAdd, {1, 2});
  mailbox = as("anna");
  (void)mailbox->snapshot();
  // Replacing leaves the \Seen of the rows as it is, and sets the reader's.
  ASSERT_TRUE(
      mailbox->store_flags(one, {FlagOp::replace, {flag::seen | flag::flagged, {"k"}}, {}}));
  EXPECT_EQ(mailbox->flags(RecNo(0)).system, flag::seen | flag::flagged);
  ASSERT_TRUE(mailbox->store_flags(one, {FlagOp::replace, {flag::draft, {}}, {}}));
  EXPECT_EQ(mailbox->flags(RecNo(0)).system, flag::draft);
  auto rows = as("");
  EXPECT_EQ(rows->flags(RecNo(0)).system, flag::seen | flag::draft);
  EXPECT_EQ(seen_by(""), (Uids{1, 2}));
}

TEST_F(SeenTest, UnchangedSinceSeesTheReadersModseq) {
  const ModSeq at = mark("anna", kAdd, {2});
  auto mailbox = as("anna");
  (void)mailbox->snapshot();
  const std::vector<RecNo> two{RecNo(1)};
  const FlagChange stale{kRemove, {flag::seen, {}}, ModSeq(at.value() - 1)};
  EXPECT_EQ(mailbox->store_flags(two, stale)->modified, std::vector<Uid>{Uid(2)});
  auto theirs = as("bob");
  (void)theirs->snapshot();
  EXPECT_TRUE(theirs->store_flags(two, stale)->modified.empty());
}

TEST_F(SeenTest, CopiesCarryTheReadersOwn) {
  mark("anna", kAdd, {1, 4});
  mark("", kAdd, {2});
  auto source = as("anna");
  const View view = source->snapshot();
  std::vector<RecNo> all;
  for (auto r = view.next_from(RecNo(0)); r; r = view.next_from(r->next())) all.push_back(*r);
  const auto news = entry;
  const auto own = make("user/anna/Kept");
  const auto archive = make("archive");
  ASSERT_TRUE(store->copy(*source, all, own).has_value());
  ASSERT_TRUE(store->copy(*source, all, archive).has_value());
  entry = own;
  EXPECT_EQ(seen_by("anna"), (Uids{1, 4}));
  EXPECT_EQ(seen_by(""), (Uids{1, 4}));
  entry = archive;
  EXPECT_EQ(seen_by("anna"), (Uids{1, 4}));
  EXPECT_EQ(seen_by("bob"), Uids{});
  EXPECT_EQ(seen_by(""), Uids{});
  entry = news;
  source = as("anna");
  (void)source->snapshot();
  ASSERT_TRUE(store->move(*source, all, archive).has_value());
  entry = archive;
  EXPECT_EQ(seen_by("anna"), (Uids{1, 4, 7, 10}));
  EXPECT_EQ(findings(), 0U);
}

TEST_F(SeenTest, AnAppendedMessageIsSeenByItsAuthorOnly) {
  (void)as("anna");
  Staged one = store->stage(), two = store->stage();
  ASSERT_TRUE(one.add(mail(7)) && two.add(mail(8)));
  std::vector<AppendItem> items{{&one, {flag::seen, {}}, 1, 0}, {&two, {flag::flagged, {}}, 1, 0}};
  ASSERT_TRUE(store->append(entry, items).has_value());
  EXPECT_EQ(seen_by("anna"), Uids{7});
  EXPECT_EQ(seen_by("bob"), Uids{});
}

TEST_F(SeenTest, ReadingOneByOneKeepsTheFileShort) {
  for (int number = 7; number <= 40; ++number) put(entry, mail(number, 1));
  auto mailbox = as("anna");
  (void)mailbox->snapshot();
  for (int i = 0; i < 8'000; ++i) {
    const std::vector<RecNo> one{RecNo(static_cast<std::uint32_t>(i % 40))};
    const FlagOp op = i / 40 % 2 == 0 ? kAdd : kRemove;
    ASSERT_TRUE(mailbox->store_flags(one, {op, {flag::seen, {}}, {}}).has_value());
    if (i % 1'000 == 0) store->flush_due(true);
  }
  store->flush_due(true);
  EXPECT_LT(std::filesystem::file_size(overlay_of("anna")), 100'000U);
  EXPECT_EQ(seen_by("anna"), Uids{});
  mark("anna", kAdd, {40});
  reopen();
  EXPECT_EQ(seen_by("anna"), Uids{40});
  EXPECT_EQ(findings(), 0U);
}

TEST_F(SeenTest, EveryFlippedBitIsFoundAndMended) {
  mark("anna", kAdd, {1, 2, 3, 5});
  mark("anna", kRemove, {2});
  store->flush_due(true);
  const std::string path = overlay_of("anna");
  std::ifstream in(path, std::ios::binary);
  std::string sound{std::istreambuf_iterator<char>(in), {}};
  sound.resize(sound.find_last_not_of('\0') + 1);
  for (std::size_t bit = 0; bit < sound.size() * 8; bit += 5) {
    std::string bad = sound;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    reopen();
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bad;
    ASSERT_EQ(findings({.repair = true}), 1U) << "bit " << bit;
    ASSERT_EQ(findings(), 0U) << "bit " << bit;
    // The log still has all changes.
    ASSERT_EQ(seen_by("anna"), (Uids{1, 3, 5})) << "bit " << bit;
  }
}

TEST_F(SeenTest, WhatDamageTookCountsAsUnseenAndIsTold) {
  mark("anna", kAdd, {1, 2});
  const ModSeq told = mark("anna", kAdd, {4});
  const std::string where = store->directory_of(entry.id, "default").value();
  store.reset();
  for (const char* file : {"/log", "/log.prev"}) std::filesystem::remove(where + file);
  reopen();
  // The log is new: only the file knows. Its first record goes.
  EXPECT_EQ(seen_by("anna"), (Uids{1, 2, 4}));
  reopen();
  std::fstream(overlay_of("anna"), std::ios::binary | std::ios::in | std::ios::out)
      .seekp(64 + 20)
      .put('x');
  auto mailbox = as("anna");
  (void)mailbox->snapshot();
  EXPECT_EQ(mailbox->changes_since(told).changed.size(), 5U) << "all that may have been seen";
  EXPECT_EQ(seen_by("anna"), Uids{4});
  EXPECT_EQ(findings(), 0U);
}

TEST_F(SeenTest, ItGoesWithTheMailboxAndStaysOnRename) {
  mark("anna", kAdd, {1});
  const std::string path = overlay_of("anna");
  const auto renamed = store->rename(entry.name, name("board")).value();
  entry = renamed[0].after;
  reopen();
  EXPECT_EQ(seen_by("anna"), Uids{1});
  ASSERT_TRUE(store->erase(entry).has_value());
  ASSERT_TRUE(store->remove_directory(entry.id, "default").has_value());
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(SeenTest, SurvivesTheLossOfIndexAndCheckpoints) {
  mark("anna", kAdd, {1, 2});
  const std::string where = store->directory_of(entry.id, "default").value();
  const std::string overlay = overlay_of("anna");
  store.reset();
  std::filesystem::remove(where + "/index");
  std::filesystem::remove(overlay);
  reopen();
  EXPECT_EQ(seen_by("anna"), (Uids{1, 2})) << "from the log";
  mark("anna", kAdd, {3});
  store.reset();
  for (const char* file : {"/index", "/index.prev", "/log", "/log.prev"})
    std::filesystem::remove(where + file);
  reopen();
  EXPECT_EQ(seen_by("anna"), (Uids{1, 2, 3})) << "from its own file";
}

}  // namespace
}  // namespace postern::store::testing
