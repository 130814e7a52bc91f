#include <fstream>

#include "lib/store/fs.h"
#include "lib/store/store.h"

#include "tests/unit/store/fixture.h"

namespace postern::store::testing {
namespace {

TEST_F(StoreTest, WhatIsDeliveredIsReadBack) {
  const auto inbox = make("user/anna");
  EXPECT_EQ(put(inbox, mail(1)), Uid(1));
  EXPECT_EQ(put(inbox, mail(2), {.system = flag::flagged, .keywords = {"$Work"}}), Uid(2));
  reopen();
  auto mailbox = store->open_mailbox(inbox).value();
  View view = mailbox->snapshot();
  ASSERT_EQ(view.exists(), 2U);
  const RecNo second = view.at(SeqNum(2));
  EXPECT_EQ(mailbox->uid(second), Uid(2));
  EXPECT_EQ(mailbox->flags(second).system, flag::flagged);
  EXPECT_EQ(mailbox->keywords(), std::vector<std::string>{"$Work"});
  EXPECT_EQ(mailbox->flags(second).keywords, 1U);
  EXPECT_EQ(mailbox->message(second).value().bytes(), mail(2));
  EXPECT_EQ(mailbox->size(second), mail(2).size());
  EXPECT_EQ(mailbox->internal_date(second), 1'700'000'000);
  EXPECT_EQ(mailbox->sent_date(second), 1'704'067'202);
  const CachedFacts facts = mailbox->facts(second).value();
  EXPECT_NE(facts.envelope.find("number 2"), std::string_view::npos);
  EXPECT_NE(facts.bodystructure.find("\"TEXT\""), std::string_view::npos) << facts.bodystructure;
  EXPECT_NE(facts.headers.find("Message-ID: <m2@example.org>\r\n"), std::string_view::npos);
  EXPECT_EQ(mailbox->status().exists, 2U);
  EXPECT_EQ(mailbox->status().unseen, 2U);
  EXPECT_EQ(mailbox->status().uidnext, Uid(3));
  EXPECT_EQ(meta.usage[inbox.id].messages, 2U);
  EXPECT_EQ(meta.reserved, 0);
}

TEST_F(StoreTest, AnEmptyMailboxIsADirectoryAndAHeader) {
  const auto box = make("user/anna/Empty");
  auto mailbox = store->open_mailbox(box).value();
  EXPECT_EQ(mailbox->snapshot().exists(), 0U);
  EXPECT_EQ(mailbox->status().uidnext, Uid(1));
  int files = 0;
  for ([[maybe_unused]] const auto& file :
       std::filesystem::directory_iterator(store->directory_of(box.id, "default").value()))
    ++files;
  EXPECT_EQ(files, 1);
}

TEST_F(StoreTest, AViewLearnsOfNewAndChangedAndExpungedMessages) {
  const auto inbox = make("user/anna");
  for (int i = 1; i <= 5; ++i) put(inbox, mail(i));
  auto mailbox = store->open_mailbox(inbox).value();
  View view = mailbox->snapshot();
  ASSERT_EQ(view.exists(), 5U);
  EXPECT_FALSE(mailbox->is_stale(view));
  put(inbox, mail(6));
  const RecNo third = view.at(SeqNum(3));
  const auto stored = mailbox->store_flags(
      std::span(&third, 1), {.op = FlagOp::add, .flags = {.system = flag::seen, .keywords = {}}});
  ASSERT_TRUE(stored.has_value());
  EXPECT_EQ(stored->changed.size(), 1U);
  const RecNo second = view.at(SeqNum(2));
  EXPECT_EQ(mailbox->expunge(std::span(&second, 1), false).value().uids, std::vector<Uid>{Uid(2)});
  EXPECT_TRUE(mailbox->is_stale(view));

  Changes held = mailbox->advance(view, false).value();
  EXPECT_TRUE(held.grown);
  EXPECT_EQ(held.exists, 6U);
  EXPECT_TRUE(held.expunged.empty());
  ASSERT_EQ(held.changed.size(), 1U);
  EXPECT_EQ(mailbox->uid(held.changed[0]), Uid(3));
  EXPECT_EQ(mailbox->message(second).value().bytes(), mail(2));  // still readable
  EXPECT_EQ(mailbox->view_at(view.mark()).value().exists(), 6U);

  Changes told = mailbox->advance(view, true).value();
  EXPECT_EQ(told.vanished, std::vector<Uid>{Uid(2)});
  EXPECT_EQ(told.expunged, std::vector<SeqNum>{SeqNum(2)});
  EXPECT_EQ(told.exists, 5U);
  EXPECT_TRUE(told.changed.empty());
  EXPECT_FALSE(mailbox->is_stale(view));
  EXPECT_EQ(uids(*mailbox, view), (std::vector<Uid>{Uid(1), Uid(3), Uid(4), Uid(5), Uid(6)}));
  EXPECT_EQ(mailbox->first_unseen(view), SeqNum(1));
}

TEST_F(StoreTest, FlagsAreAddedRemovedAndReplaced) {
  const auto inbox = make("user/anna");
  put(inbox, mail(1), {.system = flag::seen, .keywords = {"a"}});
  auto mailbox = store->open_mailbox(inbox).value();
  const RecNo only = mailbox->snapshot().at(SeqNum(1));
  const auto change = [&](FlagOp op, std::uint32_t system, std::vector<std::string> keywords) {
    return mailbox->store_flags(std::span(&only, 1),
                                {.op = op, .flags = {system, std::move(keywords)}});
  };
  ASSERT_TRUE(change(FlagOp::add, flag::draft, {"b"}).has_value());
  EXPECT_EQ(mailbox->flags(only).system, flag::seen | flag::draft);
  EXPECT_EQ(mailbox->flags(only).keywords, 3U);
  const auto nothing = change(FlagOp::add, flag::draft, {"B"});
  EXPECT_TRUE(nothing.value().changed.empty());
  ASSERT_TRUE(change(FlagOp::remove, flag::seen, {"a", "unknown"}).has_value());
  EXPECT_EQ(mailbox->flags(only).system, flag::draft);
  EXPECT_EQ(mailbox->flags(only).keywords, 2U);
  ASSERT_TRUE(change(FlagOp::replace, flag::flagged, {"c"}).has_value());
  EXPECT_EQ(mailbox->flags(only).system, flag::flagged);
  EXPECT_EQ(mailbox->flags(only).keywords, 4U);
  EXPECT_EQ(mailbox->status().unseen, 1U);
}

TEST_F(StoreTest, UnchangedSinceLeavesChangedMessagesAlone) {
  const auto inbox = make("user/anna");
  put(inbox, mail(1));
  put(inbox, mail(2));
  auto mailbox = store->open_mailbox(inbox).value();
  View view = mailbox->snapshot();
  const std::vector<RecNo> both{view.at(SeqNum(1)), view.at(SeqNum(2))};
  const auto stored = mailbox->store_flags(
      both,
      {.op = FlagOp::add, .flags = {flag::seen, {}}, .unchanged_since = mailbox->modseq(both[0])});
  ASSERT_TRUE(stored.has_value());
  EXPECT_EQ(stored->changed, std::vector<RecNo>{both[0]});
  EXPECT_EQ(stored->modified, std::vector<Uid>{Uid(2)});
}

TEST_F(StoreTest, MoreThanSixtyFourKeywordsArePossibleUpToTheLimit) {
  ASSERT_TRUE(config.set("store.max_keywords=200").has_value());
  reopen();
  const auto inbox = make("user/anna");
  put(inbox, mail(1));
  put(inbox, mail(2));
  auto mailbox = store->open_mailbox(inbox).value();
  View view = mailbox->snapshot();
  const RecNo first = view.at(SeqNum(1));
  for (int i = 0; i < 200; ++i)
    ASSERT_TRUE(mailbox
                    ->store_flags(std::span(&first, 1),
                                  {.op = FlagOp::add, .flags = {0, {fmt::format("k{}", i)}}})
                    .has_value());
  const auto beyond =
      mailbox->store_flags(std::span(&first, 1), {.op = FlagOp::add, .flags = {0, {"k200"}}});
  EXPECT_EQ(beyond.error().code, Errc::limit);
  reopen();
  mailbox = store->open_mailbox(inbox).value();
  EXPECT_EQ(mailbox->keywords().size(), 200U);
  Flags flags = mailbox->flags(first);
  EXPECT_EQ(flags.keywords, ~std::uint64_t{0});
  EXPECT_EQ(flags.more.size(), 136U);
  EXPECT_TRUE(mailbox->flag_word(first).more);
  EXPECT_FALSE(mailbox->flag_word(view.at(SeqNum(2))).more);
  ASSERT_TRUE(
      mailbox
          ->store_flags(std::span(&first, 1), {.op = FlagOp::remove, .flags = {0, {"k100", "k3"}}})
          .has_value());
  flags = mailbox->flags(first);
  EXPECT_EQ(flags.more.size(), 135U);
  EXPECT_EQ(flags.keywords, ~std::uint64_t{8});
}

TEST_F(StoreTest, OneMessageToManyIsOneInode) {
  std::vector<DeliveryTarget> targets;
  for (int i = 0; i < 20; ++i) targets.push_back({make(fmt::format("user/u{}", i)), {}});
  Staged staged = store->stage();
  ASSERT_TRUE(staged.add(mail(7, 100'000)).has_value());  // beyond stage_memory
  const auto results = store->deliver(staged, 1'700'000'000, targets);
  for (const auto& result : results) ASSERT_TRUE(result.has_value()) << result.error().text;
  const std::string file = store->directory_of(targets[3].mailbox.id, "default").value() + "/1.";
  staged = store->stage();  // the staging file goes with it
  EXPECT_EQ(std::filesystem::hard_link_count(file), 20U);
  auto mailbox = store->open_mailbox(targets[19].mailbox).value();
  EXPECT_EQ(mailbox->message(mailbox->snapshot().at(SeqNum(1))).value().bytes(), mail(7, 100'000));
}

TEST_F(StoreTest, OneFullRecipientHurtsNoOther) {
  const auto anna = make("user/anna");
  auto gone = make("user/gone");
  ASSERT_TRUE(store->erase(gone).has_value());
  const std::vector<DeliveryTarget> targets{{gone, {}}, {anna, {}}, {anna, {}}};
  Staged staged = store->stage();
  ASSERT_TRUE(staged.add(mail(1)).has_value());
  const auto results = store->deliver(staged, 1, targets);
  EXPECT_EQ(results[0].error().code, Errc::mailbox_deleted);
  EXPECT_EQ(results[1].value().uid, Uid(1));
  EXPECT_EQ(results[2].value().uid, Uid(2));
  meta.limit = 0;
  const auto full = store->deliver(staged, 1, targets);
  EXPECT_EQ(full[1].error().code, Errc::over_quota);
  EXPECT_EQ(meta.reserved, 0);
}

TEST_F(StoreTest, SeveralMessagesAreAppendedTogether) {
  const auto inbox = make("user/anna");
  std::vector<Staged> staged;
  std::vector<AppendItem> items;
  for (int i = 0; i < 10; ++i) {
    staged.push_back(store->stage());
    ASSERT_TRUE(staged.back().add(mail(i)).has_value());
  }
  for (int i = 0; i < 10; ++i)
    items.push_back({&staged[static_cast<std::size_t>(i)],
                     {.system = i % 2 == 0 ? flag::seen : 0, .keywords = {fmt::format("k{}", i)}},
                     1'600'000'000 + i,
                     -90});
  const auto appended = store->append(inbox, items);
  ASSERT_TRUE(appended.has_value()) << appended.error().text;
  ASSERT_EQ(appended->size(), 10U);
  auto mailbox = store->open_mailbox(inbox).value();
  View view = mailbox->snapshot();
  for (std::uint32_t i = 0; i < 10; ++i) {
    const RecNo r = view.at(SeqNum(i + 1));
    EXPECT_EQ(mailbox->internal_date(r), 1'600'000'000 + i);
    EXPECT_EQ(mailbox->internal_zone(r), -90);
    EXPECT_EQ(mailbox->flags(r).keywords, std::uint64_t{1} << i);
    EXPECT_EQ(mailbox->message(r).value().bytes(), mail(static_cast<int>(i)));
  }
  EXPECT_EQ(mailbox->status().unseen, 5U);
}

TEST_F(StoreTest, CopyKeepsFlagsKeywordsAndDates) {
  const auto inbox = make("user/anna");
  const auto other = make("user/anna/Other");
  put(other, mail(99), {.system = 0, .keywords = {"zz"}});
  for (int i = 1; i <= 3; ++i)
    put(inbox, mail(i), {.system = flag::seen, .keywords = {"one", "two"}});
  auto mailbox = store->open_mailbox(inbox).value();
  View view = mailbox->snapshot();
  const std::vector<RecNo> all{view.at(SeqNum(1)), view.at(SeqNum(3))};
  const auto copied = store->copy(*mailbox, all, other);
  ASSERT_TRUE(copied.has_value()) << copied.error().text;
  EXPECT_EQ(copied->source, (std::vector<Uid>{Uid(1), Uid(3)}));
  EXPECT_EQ(copied->destination, (std::vector<Uid>{Uid(2), Uid(3)}));
  auto there = store->open_mailbox(other).value();
  View copies = there->snapshot();
  ASSERT_EQ(copies.exists(), 3U);
  const RecNo r = copies.at(SeqNum(3));
  EXPECT_EQ(there->keywords(), (std::vector<std::string>{"zz", "one", "two"}));
  EXPECT_EQ(there->flags(r).keywords, 6U);
  EXPECT_EQ(there->flags(r).system, flag::seen);
  EXPECT_EQ(there->message(r).value().bytes(), mail(3));
  EXPECT_EQ(there->record(r).value().guid, mailbox->record(all[1]).value().guid);
  EXPECT_NE(there->facts(r).value().envelope.find("number 3"), std::string_view::npos);
  EXPECT_EQ(meta.usage[other.id].messages, 3U);
}

TEST_F(StoreTest, MoveLeavesTheSource) {
  const auto inbox = make("user/anna");
  const auto other = make("user/anna/Other");
  for (int i = 1; i <= 4; ++i) put(inbox, mail(i));
  auto mailbox = store->open_mailbox(inbox).value();
  View view = mailbox->snapshot();
  const std::vector<RecNo> middle{view.at(SeqNum(2)), view.at(SeqNum(3))};
  const auto moved = store->move(*mailbox, middle, other);
  ASSERT_TRUE(moved.has_value()) << moved.error().text;
  const Changes changes = mailbox->advance(view, true).value();
  EXPECT_EQ(changes.vanished, (std::vector<Uid>{Uid(2), Uid(3)}));
  EXPECT_EQ(changes.expunged, (std::vector<SeqNum>{SeqNum(2), SeqNum(2)}));
  EXPECT_EQ(store->status(other).value().exists, 2U);
  EXPECT_EQ(store->status(inbox).value().exists, 2U);
  EXPECT_EQ(meta.usage[inbox.id].messages, 2U);
}

TEST_F(StoreTest, ADeletedMailboxTakesNothingMore) {
  const auto box = make("user/anna/Box");
  put(box, mail(1));
  auto mailbox = store->open_mailbox(box).value();
  View view = mailbox->snapshot();
  ASSERT_TRUE(store->erase(box).has_value());
  EXPECT_EQ(mailbox->advance(view, true).error().code, Errc::mailbox_deleted);
  EXPECT_EQ(store->open_mailbox(box).error().code, Errc::mailbox_deleted);
  EXPECT_FALSE(meta.lookup(name("user/anna/Box")).has_value());
}

TEST_F(StoreTest, ARenamedMailboxKeepsItsDirectoryAndItsHeaderFollows) {
  const auto box = make("user/anna/Box");
  put(box, mail(1));
  const auto renamed = store->rename(name("user/anna/Box"), name("user/anna/New"));
  ASSERT_TRUE(renamed.has_value());
  const auto entry = meta.lookup(name("user/anna/New")).value();
  EXPECT_EQ(store->status(entry).value().exists, 1U);
  const auto header = read_header(store->directory_of(entry.id, "default").value());
  ASSERT_TRUE(header.has_value()) << header.error().text;
  EXPECT_EQ(header->name, entry.name);
}

TEST_F(StoreTest, RecentIsClaimedOnce) {
  const auto inbox = make("user/anna");
  for (int i = 1; i <= 3; ++i) put(inbox, mail(i));
  auto mailbox = store->open_mailbox(inbox).value();
  const auto first = mailbox->claim_recent().value();
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(*first, std::pair(Uid(1), Uid(3)));
  EXPECT_FALSE(mailbox->claim_recent().value().has_value());
  put(inbox, mail(4));
  EXPECT_EQ(mailbox->claim_recent().value(), std::pair(Uid(4), Uid(4)));
}

TEST_F(StoreTest, ManyBlocksHoldTogether) {
  const auto inbox = make("user/anna");
  put(inbox, mail(1));
  auto mailbox = store->open_mailbox(inbox).value();
  for (int round = 0; round < 12; ++round) {  // 1, 2, 4, … 4096
    View view = mailbox->snapshot();
    std::vector<RecNo> all;
    for (auto r = view.next_from(RecNo(0)); r; r = view.next_from(r->next())) all.push_back(*r);
    ASSERT_TRUE(store->copy(*mailbox, all, inbox).has_value());
  }
  View view = mailbox->snapshot();
  ASSERT_EQ(view.exists(), 4096U);
  for (std::uint32_t i = 1; i <= 4096; ++i) {
    const RecNo r = view.at(SeqNum(i));
    ASSERT_EQ(mailbox->uid(r), Uid(i));
    ASSERT_EQ(view.seqnum_of(r), SeqNum(i));
    ASSERT_EQ(mailbox->lower_bound(Uid(i)), r);
  }
  std::vector<RecNo> odd;
  for (std::uint32_t i = 1; i <= 4096; i += 2) odd.push_back(view.at(SeqNum(i)));
  ASSERT_TRUE(
      mailbox->store_flags(odd, {.op = FlagOp::add, .flags = {flag::deleted, {}}}).has_value());
  EXPECT_EQ(mailbox->status().deleted, 2048U);
  EXPECT_EQ(mailbox->expunge(odd, true).value().uids.size(), 2048U);
  const Changes changes = mailbox->advance(view, true).value();
  EXPECT_EQ(changes.vanished.size(), 2048U);
  EXPECT_EQ(changes.expunged.front(), SeqNum(1));
  EXPECT_EQ(changes.expunged.back(), SeqNum(2048));
  EXPECT_EQ(view.exists(), 2048U);
  EXPECT_EQ(mailbox->status().exists, 2048U);
  EXPECT_EQ(mailbox->status().deleted, 0U);
}

TEST(BlockLayout, AWordOfTheBitmapLiesBehindTheOneBeforeInItsRun) {
  for (std::uint32_t word = 0; word < 3'000; word += block::bitmap_run(word)) {
    const std::uint64_t at = block::bitmap_offset(word);
    for (std::uint32_t i = 0; i < block::bitmap_run(word); ++i)
      ASSERT_EQ(block::bitmap_offset(word + i), at + 8 * i) << word + i;
  }
}

/// Counts maps while it lives.
class MapsCounted final : public Fs {
 public:
  MapsCounted() { replace_fs(this); }
  ~MapsCounted() override { replace_fs(nullptr); }
  Result<char*> map(int fd, std::uint64_t size, bool writable) override {
    ++maps;
    return Fs::map(fd, size, writable);
  }
  int maps = 0;
};

TEST_F(StoreTest, StatusOfAClosedMailboxIsThatOfAnOpenOneAndMapsNothing) {
  const auto inbox = make("user/anna");
  const auto expect_same = [&](const char* when) {
    const MailboxStatus open = store->open_mailbox(inbox).value()->status();
    reopen();
    const MapsCounted counted;
    const MailboxStatus closed = store->status(inbox).value();
    EXPECT_EQ(counted.maps, 0) << when;
    const auto all = [](const MailboxStatus& s) {
      return fmt::format("{} {} {} {} {} {} {} {} {}", s.exists, s.unseen, s.deleted, s.bytes,
                         s.deleted_bytes, s.uidnext, s.uidvalidity, s.highestmodseq, s.recent_uid);
    };
    EXPECT_EQ(all(closed), all(open)) << when;
  };
  expect_same("empty");
  EXPECT_EQ(store->status(inbox).value().exists, 0U);
  put(inbox, mail(1), {flag::seen, {}});
  EXPECT_EQ(store->status(inbox).value().exists, 1U);
  expect_same("one");
  put(inbox, mail(2), {flag::deleted, {}});
  for (int i = 3; i < 60; ++i) put(inbox, mail(i));
  expect_same("many");
  auto mailbox = store->open_mailbox(inbox).value();
  const View view = mailbox->snapshot();
  const std::vector<RecNo> two{view.at(SeqNum(2)), view.at(SeqNum(3))};
  ASSERT_TRUE(mailbox->expunge(two, false));
  mailbox.reset();
  expect_same("expunged");
}

TEST_F(StoreTest, StatusOpensWhatOneLookDoesNotTell) {
  const auto inbox = make("user/anna");
  put(inbox, mail(1));
  const std::string index = store->directory_of(inbox.id, "default").value() + "/index";
  const auto spoil = [&](std::streamoff at) {
    reopen();
    std::fstream file(index, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(at);
    file.put('\x5a');
  };
  for (const std::streamoff at : {0, 96, 520, 1032}) {  // magic, boot, both states
    spoil(at);
    const MapsCounted counted;
    EXPECT_EQ(store->status(inbox).value().exists, 1U) << at;
    EXPECT_TRUE(counted.maps > 0 || at > 512) << at;  // one state isn't the published one
    EXPECT_TRUE(check(*store, inbox, {.full = true}).value().empty()) << at;
  }
  reopen();
  std::filesystem::resize_file(index, 5000);
  EXPECT_EQ(store->status(inbox).value().exists, 1U);
  store->set_reader(UserName::from_utf8("bob").value());  // who has seen nothing
  auto mailbox = store->open_mailbox(inbox).value();
  const View view = mailbox->snapshot();
  const std::vector<RecNo> one{view.at(SeqNum(1))};
  ASSERT_TRUE(mailbox->store_flags(one, {FlagOp::add, {flag::seen, {}}, {}}));
  mailbox.reset();
  reopen();
  EXPECT_EQ(store->status(inbox).value().unseen, 1U);
  store->set_reader(UserName::from_utf8("bob").value());
  EXPECT_EQ(store->status(inbox).value().unseen, 0U);
  store->set_reader({});
  ASSERT_TRUE(store->erase(inbox));
  EXPECT_EQ(store->status(inbox).error().code, Errc::mailbox_deleted);
}

}  // namespace
}  // namespace postern::store::testing
