// The metadata operations, each in both forms.
#include "lib/meta/embedded.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "tests/unit/meta/fixture.h"
#include "tests/unit/meta/metad_process.h"

namespace postern::meta {
namespace {

enum class Form { embedded, metad };

/// Every operation in both forms: embedded, and through a metad of the test's own.
class Operations : public MetaTest, public testing::WithParamInterface<Form> {
 protected:
  void SetUp() override {
    MetaTest::SetUp();
    if (GetParam() == Form::metad) metad_ = std::make_unique<MetadProcess>(home_);
    begin();
  }
  void TearDown() override {
    end();
    metad_.reset();
    MetaTest::TearDown();
  }
  void reopen() {
    end();
    begin();
  }
  Meta& meta() override { return *meta_; }

 private:
  void begin() {
    if (metad_) {
      metad_->start();
      meta_ = metad_->client();
    } else {
      meta_ = EmbeddedMeta::open(home_ + "/home", "test").value();
    }
  }
  void end() {
    meta_.reset();
    if (!metad_) return;
    EXPECT_EQ(metad_->stop(), 0);
  }

  std::unique_ptr<MetadProcess> metad_;
  std::unique_ptr<Meta> meta_;
};

INSTANTIATE_TEST_SUITE_P(Forms, Operations, testing::Values(Form::embedded, Form::metad),
                         [](const auto& each) {
                           return each.param == Form::embedded ? "embedded" : "metad";
                         });

TEST_P(Operations, WhatWasCreatedIsFoundByNameAndIdAlsoAfterReopening) {
  const auto made = create("user/anna/Sent@example.org", "\\Sent");
  reopen();
  const auto found = meta().lookup(box("user/anna/Sent@example.org")).value();
  EXPECT_EQ(found.id, made.id);
  EXPECT_EQ(found.special_use, "\\Sent");
  EXPECT_EQ(found.acl, made.acl);
  EXPECT_EQ(meta().lookup(made.id).value().name.text(), "user/anna/Sent@example.org");
  EXPECT_EQ(code(meta().lookup(box("user/anna"))), Errc::no_such_mailbox);
}

TEST_P(Operations, NamesAndIdsAreGivenOnce) {
  const auto made = create("news");
  EXPECT_EQ(code(meta().create({.name = box("news"), .id = random_mailbox_id()})),
            Errc::mailbox_exists);
  EXPECT_EQ(code(meta().create({.name = box("other"), .id = made.id})), Errc::mailbox_exists);
  EXPECT_EQ(code(meta().create({.name = box("user"), .id = random_mailbox_id()})),
            Errc::bad_syntax);
  EXPECT_EQ(code(meta().create({.name = box("user/anna/INBOX"), .id = random_mailbox_id()})),
            Errc::bad_syntax);
}

TEST_P(Operations, UidvalidityAndVersionNeverComeTwice) {
  const auto first = create("a");
  const auto second = create("b");
  EXPECT_GT(second.uidvalidity, first.uidvalidity);
  EXPECT_GT(second.version, first.version);
  ASSERT_TRUE(meta().erase(box("b")));
  reopen();
  EXPECT_GT(create("b").uidvalidity, second.uidvalidity);
}

TEST_P(Operations, ListGivesOwnTreeAndWhatIsShared) {
  for (const char* name : {"user/anna", "user/anna/Sent", "user/annabel", "user/bob",
                           "user/bob/Shared", "user/bob/Team", "user/bob/Hidden", "news"})
    create(name);
  set_acl("user/bob/Shared", "anna", "lr");
  set_acl("user/bob/Team", "group:staff", "lr");
  set_acl("user/bob/Hidden", "anna", "r");
  set_acl("news", "anyone", "lrs");
  set_acl("news", "-eve", "l");
  EXPECT_EQ(listed("anna"), "news user/anna user/anna/Sent user/bob/Shared");
  EXPECT_EQ(listed("anna", {"group:staff"}),
            "news user/anna user/anna/Sent user/bob/Shared user/bob/Team");
  EXPECT_EQ(listed("eve"), "");
  EXPECT_EQ(listed("anna", {}, {"user/anna"}), "user/anna user/anna/Sent");
  EXPECT_EQ(listed("anna", {}, {"user"}), "user/anna user/anna/Sent user/bob/Shared");
  EXPECT_EQ(listed("anna", {}, {"user/bob"}), "user/bob/Shared");
  set_acl("user/bob/Shared", "anna", "");
  EXPECT_EQ(listed("anna", {}, {"user/bob"}), "");
}

TEST_P(Operations, AnAdministratorSeesEverythingInOrder) {
  for (const char* name : {"user/bob", "news", "a@x.org", "news/a", "news b"}) create(name);
  EXPECT_EQ(listed_as_admin(), "news news/a news b user/bob a@x.org");
}

TEST_P(Operations, RenameMovesATreeInOneStep) {
  create("user/anna");
  const auto a = create("user/anna/a");
  create("user/anna/a/b");
  create("user/anna/ab");
  ASSERT_TRUE(meta().subscribe(who("anna").user, "a/b"));
  ASSERT_TRUE(meta().subscribe(who("anna").user, "ab"));
  const auto moved = meta().rename_tree(box("user/anna/a"), box("user/anna/x/y")).value();
  ASSERT_EQ(moved.size(), 2U);
  EXPECT_EQ(moved[1].before.name.text(), "user/anna/a/b");
  EXPECT_EQ(moved[1].after.name.text(), "user/anna/x/y/b");
  EXPECT_EQ(meta().lookup(a.id).value().name.text(), "user/anna/x/y");
  EXPECT_EQ(meta().lookup(a.id).value().uidvalidity, a.uidvalidity);
  EXPECT_EQ(listed("anna"), "user/anna user/anna/ab user/anna/x/y user/anna/x/y/b");
  EXPECT_EQ(meta().subscriptions(who("anna").user).value(),
            (std::vector<std::string>{"ab", "x/y/b"}));
}

TEST_P(Operations, RenameOntoAnythingChangesNothing) {
  create("a");
  create("a/b");
  create("x/b");
  EXPECT_EQ(code(meta().rename_tree(box("a"), box("x"))), Errc::mailbox_exists);
  EXPECT_EQ(code(meta().rename_tree(box("a"), box("a/b/c"))), Errc::not_supported);
  EXPECT_EQ(code(meta().rename_tree(box("q"), box("r"))), Errc::no_such_mailbox);
  EXPECT_EQ(listed_as_admin(), "a a/b x/b");
}

TEST_P(Operations, RenameOfInboxLeavesANewOne) {
  const auto inbox = create("user/anna");
  create("user/anna/Sent");
  const NewMailbox fresh{.name = box("user/anna"),
                         .id = random_mailbox_id(),
                         .partition = "default",
                         .acl = inbox.acl};
  const auto moved = meta().rename_tree(inbox.name, box("user/anna/Old"), fresh).value();
  ASSERT_EQ(moved.size(), 2U);
  EXPECT_EQ(moved[0].after.name.text(), "user/anna/Old");
  EXPECT_EQ(moved[1].after.id, fresh.id);
  EXPECT_EQ(listed("anna"), "user/anna user/anna/Old user/anna/Sent");
  EXPECT_GT(moved[1].after.uidvalidity, inbox.uidvalidity);
}

TEST_P(Operations, RenameOfAUserTakesEverythingAlong) {
  create("user/anna");
  create("user/anna/Sent");
  set_acl("user/anna/Sent", "bob", "lr");
  const auto record = meta().user(who("anna").user, true).value();
  ASSERT_TRUE(meta().subscribe(who("anna").user, "Sent"));
  ASSERT_TRUE(meta().set_quota(box("user/anna"), {storage(1000)}));
  ASSERT_TRUE(meta().rename_tree(box("user/anna"), box("user/eve")));
  EXPECT_EQ(listed("eve"), "user/eve user/eve/Sent");
  EXPECT_EQ(listed("anna"), "");
  EXPECT_EQ(listed("bob"), "user/eve/Sent");
  EXPECT_EQ(meta().user(who("eve").user, false).value().id, record.id);
  EXPECT_EQ(code(meta().user(who("anna").user, false)), Errc::no_such_user);
  EXPECT_EQ(meta().subscriptions(who("eve").user).value(), std::vector<std::string>{"Sent"});
  EXPECT_EQ(meta().quotas().value().at(0).root.text(), "user/eve");
  const auto acl = meta().lookup(box("user/eve")).value().acl;
  EXPECT_EQ(acl.entries().front().identifier, "eve");
  EXPECT_EQ(acl.entries().size(), 1U);
}

TEST_P(Operations, QuotaCountsAbsoluteReportsOnce) {
  const auto inbox = create("user/anna");
  const auto sent = create("user/anna/Sent");
  ASSERT_TRUE(meta().report({inbox.id, ModSeq(5), 100, 1}));
  ASSERT_TRUE(meta().set_quota(box("user/anna"), {storage(1000)}));
  ASSERT_TRUE(meta().report({sent.id, ModSeq(7), 300, 2}));
  ASSERT_TRUE(meta().report({sent.id, ModSeq(7), 300, 2}));
  ASSERT_TRUE(meta().report({sent.id, ModSeq(6), 999, 9}));
  EXPECT_EQ(used("user/anna"), 400U);
  ASSERT_TRUE(meta().erase(sent.name));
  EXPECT_EQ(used("user/anna"), 100U);
}

TEST_P(Operations, RootsBelowTakeTheirMailboxesAndGiveThemBack) {
  const auto inbox = create("user/anna");
  const auto deep = create("user/anna/a/b");
  ASSERT_TRUE(meta().report({inbox.id, ModSeq(1), 10, 1}));
  ASSERT_TRUE(meta().report({deep.id, ModSeq(1), 20, 1}));
  ASSERT_TRUE(meta().set_quota(box("user/anna"), {storage(1000)}));
  EXPECT_EQ(used("user/anna"), 30U);
  ASSERT_TRUE(meta().set_quota(box("user/anna/a"), {storage(1000)}));
  EXPECT_EQ(used("user/anna"), 10U);
  EXPECT_EQ(used("user/anna/a"), 20U);
  EXPECT_EQ(meta().quota_root_of(deep.name).value()->root.text(), "user/anna/a");
  ASSERT_TRUE(meta().set_quota(box("user/anna/a"), {}));
  EXPECT_EQ(used("user/anna"), 30U);
  EXPECT_EQ(code(meta().quota(box("user/anna/a"))), Errc::no_such_object);
}

TEST_P(Operations, RenameIntoAFullRootIsRefused) {
  const auto big = create("user/anna/big");
  create("user/anna");
  ASSERT_TRUE(meta().report({big.id, ModSeq(1), 500, 1}));
  ASSERT_TRUE(meta().set_quota(box("user/anna/small"), {storage(100)}));
  EXPECT_EQ(code(meta().rename_tree(big.name, box("user/anna/small/big"))), Errc::over_quota);
  EXPECT_EQ(listed("anna"), "user/anna user/anna/big");
  ASSERT_TRUE(meta().rename_tree(big.name, box("user/anna/other")));
}

TEST_P(Operations, MailboxLimitStopsCreate) {
  create("user/anna");
  ASSERT_TRUE(meta().set_quota(box("user/anna"),
                               {{.resource = Resource::mailbox, .usage = 0, .limit = 2}}));
  create("user/anna/a");
  EXPECT_EQ(code(meta().create({.name = box("user/anna/b"), .id = random_mailbox_id()})),
            Errc::over_quota);
}

TEST_P(Operations, ReservationsCountUntilReleased) {
  const auto inbox = create("user/anna");
  EXPECT_EQ(meta().reserve(inbox.id, 1U << 30, 1).value().id, 0U);
  ASSERT_TRUE(meta().set_quota(inbox.name, {storage(1000)}));
  const auto first = meta().reserve(inbox.id, 600, 1).value();
  EXPECT_EQ(code(meta().reserve(inbox.id, 600, 1)), Errc::over_quota);
  ASSERT_TRUE(meta().report({inbox.id, ModSeq(1), 300, 1}, first));
  const auto second = meta().reserve(inbox.id, 600, 1).value();
  meta().release(second);
  EXPECT_TRUE(meta().reserve(inbox.id, 700, 1));
}

TEST_P(Operations, AnnotationsFollowTheMailboxAndItsEnd) {
  create("a");
  ASSERT_TRUE(meta().set_annotations(
      box("a"), {{{}, "/shared/comment", "hello"}, {who("anna").user, "/private/comment", "mine"}},
      10));
  ASSERT_TRUE(meta().set_annotations({}, {{{}, "/shared/comment", "server"}}, 10));
  ASSERT_TRUE(meta().rename_tree(box("a"), box("b")));
  EXPECT_EQ(meta().annotations(box("b"), who("anna").user).value().size(), 2U);
  EXPECT_EQ(meta().annotations(box("b"), who("bob").user).value().size(), 1U);
  EXPECT_EQ(meta().annotations({}, {}).value().at(0).value, "server");
  ASSERT_TRUE(meta().set_annotations(box("b"), {{{}, "/shared/comment", ""}}, 10));
  EXPECT_EQ(meta().annotations(box("b"), {}).value().at(0).value, "");
  ASSERT_TRUE(meta().set_annotations(box("b"), {{{}, "/shared/comment", std::nullopt}}, 10));
  EXPECT_EQ(meta().annotations(box("b"), {}).value().size(), 0U);
}

TEST_P(Operations, AnnotationsAreSetTogetherOrNotAtAll) {
  create("a");
  ASSERT_TRUE(meta().set_annotations(box("a"), {{{}, "/shared/1", "x"}}, 2));
  const std::vector<AnnotationChange> more{
      {{}, "/shared/1", "y"}, {{}, "/shared/2", "y"}, {{}, "/shared/3", "y"}};
  EXPECT_EQ(code(meta().set_annotations(box("a"), more, 2)), Errc::limit);
  const auto now = meta().annotations(box("a"), {}).value();
  ASSERT_EQ(now.size(), 1U);
  EXPECT_EQ(now[0].value, "x");
  // A user's own are counted apart.
  const auto anna = who("anna").user;
  EXPECT_TRUE(
      meta().set_annotations(box("a"), {{anna, "/private/1", "y"}, {anna, "/private/2", "y"}}, 2));
}

TEST_P(Operations, AnnotationsOfARenamedInboxAreOnBoth) {
  const auto inbox = create("user/anna");
  ASSERT_TRUE(meta().set_quota(inbox.name, {{Resource::annotation_storage, 0, 100}}));
  ASSERT_TRUE(meta().set_annotations(inbox.name, {{{}, "/shared/comment", "hello"}}, 10));
  NewMailbox fresh;
  fresh.name = inbox.name;
  fresh.id = random_mailbox_id();
  ASSERT_TRUE(meta().rename_tree(inbox.name, box("user/anna/Old"), fresh));
  EXPECT_EQ(meta().annotations(inbox.name, {}).value().at(0).value, "hello");
  EXPECT_EQ(meta().annotations(box("user/anna/Old"), {}).value().at(0).value, "hello");
  EXPECT_EQ(meta().quota(inbox.name).value().resources.at(0).usage, 10U);
  EXPECT_EQ(
      code(meta().set_annotations(inbox.name, {{{}, "/shared/comment", std::string(96, 'x')}}, 10)),
      Errc::over_quota);
}

TEST_P(Operations, PrivateAnnotationsFollowTheirUser) {
  create("user/anna");
  ASSERT_TRUE(meta().user(who("anna").user, true));
  ASSERT_TRUE(
      meta().set_annotations(box("user/anna"), {{who("anna").user, "/private/comment", "x"}}, 10));
  ASSERT_TRUE(meta().rename_tree(box("user/anna"), box("user/eve")));
  EXPECT_EQ(meta().annotations(box("user/eve"), who("eve").user).value().size(), 1U);
  ASSERT_TRUE(meta().erase_user(who("eve").user));
  EXPECT_EQ(meta().annotations(box("user/eve"), who("eve").user).value().size(), 0U);
}

TEST_P(Operations, SnoozedMessagesComeInTheOrderOfTheirTimes) {
  Snoozed message;
  message.mailbox = random_mailbox_id();
  message.user = who("anna").user;
  message.target = "INBOX";
  message.add_flags = {"\\Flagged"};
  for (const std::int64_t until : {300, 100, 200}) {
    message.until = until;
    ASSERT_TRUE(meta().set_snoozed(message));
  }
  EXPECT_EQ(meta().snoozed(99, 10).value().size(), 0U);
  auto due = meta().snoozed(250, 10).value();
  ASSERT_EQ(due.size(), 2U);
  EXPECT_EQ(due[0].until, 100);
  EXPECT_EQ(due[1].until, 200);
  EXPECT_EQ(due[0].mailbox, message.mailbox);
  EXPECT_EQ(due[0].add_flags, message.add_flags);
  EXPECT_EQ(meta().snoozed(250, 1).value().size(), 1U);
  ASSERT_TRUE(meta().end_snoozed(due[0]));
  EXPECT_EQ(meta().snoozed(250, 10).value().at(0).until, 200);
}

TEST_P(Operations, UsersHaveOneIdAndAGeneration) {
  const auto anna = meta().user(who("anna").user, true).value();
  EXPECT_EQ(meta().user(who("anna").user, true).value().id, anna.id);
  EXPECT_GT(meta().bump_generation(anna.name).value().generation, anna.generation);
  EXPECT_EQ(meta().users().value().size(), 1U);
  ASSERT_TRUE(meta().erase_user(anna.name));
  EXPECT_EQ(code(meta().user(anna.name, false)), Errc::no_such_user);
  EXPECT_EQ(meta().restore_user(anna).value().id, anna.id);
  UserRecord twin = anna;
  twin.id = random_user_id();
  EXPECT_EQ(meta().restore_user(twin).value().id, anna.id);
  EXPECT_EQ(meta().user(anna.name, false).value().created, anna.created);
}

TEST_P(Operations, TheOutboxHoldsWhatHeadersStillMiss) {
  const auto made = create("a");
  const auto changed = set_acl("a", "anna", "lr");
  ASSERT_TRUE(meta().outbox_done(made.id, made.version));
  ASSERT_EQ(meta().outbox(10).value().size(), 1U);
  EXPECT_EQ(meta().outbox(10).value()[0].version, changed.version);
  ASSERT_TRUE(meta().outbox_done(made.id, changed.version));
  EXPECT_TRUE(meta().outbox(10).value().empty());
}

TEST_P(Operations, RestoreTakesTheHigherVersionAndLosesNothing) {
  auto a = create("a");
  auto stale = a;
  stale.name = box("old");
  stale.version -= 1;
  EXPECT_EQ(meta().restore(stale).value().name.text(), "a");
  MailboxEntry twin = a;
  twin.id = random_mailbox_id();
  twin.version = a.version + 100;
  twin.uidvalidity = UidValidity(a.uidvalidity.value() + 1000);
  EXPECT_EQ(meta().restore(twin).value().name.text(), "a");
  EXPECT_EQ(meta().lookup(twin.id).value().version, twin.version);
  EXPECT_EQ(meta().lookup(a.id).value().name.text(), "Lost/" + a.id.hex());
  EXPECT_GT(create("b").uidvalidity, twin.uidvalidity);
  EXPECT_GT(create("c").version, twin.version);
}

TEST_P(Operations, DueMailboxesComeEarliestFirst) {
  const auto a = create("a");
  const auto b = create("b");
  ASSERT_TRUE(meta().report({a.id, ModSeq(1), 1, 1, 200}));
  ASSERT_TRUE(meta().report({b.id, ModSeq(1), 1, 1, 100}));
  EXPECT_EQ(meta().due(150, 10).value(), (std::vector<MailboxId>{b.id}));
  EXPECT_EQ(meta().due(200, 10).value(), (std::vector<MailboxId>{b.id, a.id}));
  ASSERT_TRUE(meta().report({b.id, ModSeq(2), 1, 1, 0}));
  EXPECT_EQ(meta().due(500, 10).value(), (std::vector<MailboxId>{a.id}));
}

TEST_P(Operations, LookUpSaysOfEachNameWhatListWould) {
  for (const char* name : {"user/anna", "user/anna/a", "user/anna/a/b", "user/anna/ab", "user/bob",
                           "user/bob/open", "user/bob/open/shut", "user/bob/dark/open", "news"})
    create(name);
  set_acl("user/bob/open", "anna", "lr");
  set_acl("user/bob/dark/open", "anyone", "l");
  set_acl("user/bob/open/shut", "anyone", "l");
  set_acl("user/bob/open/shut", "-anna", "l");
  const std::vector<std::string> names{"user/anna",     "user/anna/a",   "user/anna/a/b",
                                       "user/anna/x",   "user/bob",      "user/bob/open",
                                       "user/bob/dark", "user/bob/none", "news"};
  std::vector<MailboxName> asked;
  for (const auto& name : names) asked.push_back(box(name));
  const auto all = meta().list({.who = who("anna"), .roots = {}}).value();
  const auto found = meta().look_up(who("anna"), asked, true).value();
  ASSERT_EQ(found.size(), asked.size());
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const auto same = [&](const auto& one) { return one.entry.name == asked[i]; };
    const auto below = [&](const auto& one) {
      return one.entry.name != asked[i] && one.entry.name.is_within(asked[i]);
    };
    EXPECT_EQ(found[i].mailbox.has_value(), std::ranges::any_of(all, same)) << names[i];
    EXPECT_EQ(found[i].has_children, std::ranges::any_of(all, below)) << names[i];
  }
  EXPECT_EQ(found[5].mailbox->rights.text(), "lr");
  EXPECT_FALSE(meta().look_up(who("anna"), asked, false).value()[0].has_children);
}

TEST_P(Operations, OnlySpecialUsesAreListed) {
  create("user/anna");
  create("user/anna/Out", "\\Sent");
  create("user/bob/Old", "\\Archive");
  EXPECT_EQ(joined(meta().list_special({.who = who("anna"), .roots = {}}).value()),
            "user/anna/Out");
  set_acl("user/bob/Old", "anna", "l");
  EXPECT_EQ(joined(meta().list_special({.who = who("anna"), .roots = {}}).value()),
            "user/anna/Out user/bob/Old");
}

TEST_P(Operations, ADirectoryIsUnlistedBeforeItsMailboxIsMadeAndAfterItWasErased) {
  const auto unlisted = [&](std::int64_t before) {
    std::vector<MailboxId> ids;
    const auto found = meta().unlisted(before, {}, 10).value();
    for (const auto& one : found) ids.push_back(one.id);
    return ids;
  };
  const std::int64_t now = wall_seconds();
  const MailboxId never = random_mailbox_id();
  ASSERT_TRUE(meta().announce(never, "fast"));
  const MailboxId begun = random_mailbox_id();
  ASSERT_TRUE(meta().announce(begun, "default"));
  EXPECT_EQ(unlisted(now + 60).size(), 2U);
  const auto made = meta().create({.name = box("a"), .id = begun}).value();
  reopen();
  EXPECT_EQ(unlisted(now + 60), std::vector<MailboxId>{never});
  EXPECT_EQ(meta().unlisted(now + 60, {}, 10).value()[0].partition, "fast");
  EXPECT_EQ(unlisted(now - 1), std::vector<MailboxId>{});
  ASSERT_TRUE(meta().unlisted_done(never));
  ASSERT_TRUE(meta().erase(box("a")));
  reopen();
  EXPECT_EQ(unlisted(now + 60), std::vector<MailboxId>{made.id});
  ASSERT_TRUE(meta().restore(made));
  EXPECT_EQ(unlisted(now + 60), std::vector<MailboxId>{});
}

TEST_P(Operations, UnlistedDirectoriesComeInPages) {
  std::vector<MailboxId> announced;
  for (int i = 0; i < 10; ++i) {
    announced.push_back(random_mailbox_id());
    ASSERT_TRUE(meta().announce(announced.back(), "default"));
  }
  std::vector<MailboxId> found;
  std::vector<Unlisted> page;
  do {
    page = meta().unlisted(INT64_MAX, found.empty() ? MailboxId() : found.back(), 3).value();
    for (const auto& one : page) found.push_back(one.id);
  } while (!page.empty());
  std::ranges::sort(announced);
  EXPECT_EQ(found, announced);
}

TEST_P(Operations, AnExportIsDueForThoseWhomAChangeConcerns) {
  const auto due = [&] {
    std::string users;
    const auto found = meta().due_exports("", 100).value();
    for (const auto& one : found) {
      users += (users.empty() ? "" : " ") + one.user.name.text();
      EXPECT_TRUE(meta().export_done(one.key, one.version));
    }
    return users;
  };
  const UserName anna = who("anna").user;
  const UserName bob = who("bob").user;
  ASSERT_TRUE(meta().user(anna, true));
  ASSERT_TRUE(meta().user(bob, true));
  EXPECT_EQ(due(), "anna bob");
  create("user/anna");
  create("user/anna/x");
  set_acl("user/anna/x", "bob", "lrs");
  EXPECT_EQ(due(), "");  // mailboxes are in their headers
  const AnnotationChange note{.user = {}, .entry = "/shared/comment", .value = "x"};
  const std::vector<std::pair<const char*, std::function<bool()>>> changes{
      {"subscribe", [&] { return meta().subscribe(anna, "x").has_value(); }},
      {"generation", [&] { return meta().bump_generation(anna).has_value(); }},
      {"quota", [&] { return meta().set_quota(box("user/anna"), {storage(9)}).has_value(); }},
      {"note", [&] { return meta().set_annotations(box("user/anna/x"), {note}, 9).has_value(); }},
      {"rename",
       [&] { return meta().rename_tree(box("user/anna/x"), box("user/anna/y")).has_value(); }},
      {"erase", [&] { return meta().erase(box("user/anna/y")).has_value(); }},
      {"unsubscribe", [&] { return meta().unsubscribe(anna, "y").has_value(); }},
      {"no quota", [&] { return meta().set_quota(box("user/anna"), {}).has_value(); }},
  };
  for (const auto& [what, change] : changes) {
    EXPECT_TRUE(change()) << what;
    EXPECT_EQ(due(), "anna") << what;
  }
  EXPECT_EQ(due(), "");
  ASSERT_TRUE(meta().rename_tree(box("user/anna"), box("user/eve")));
  EXPECT_EQ(due(), "eve");  // anna is nobody now, and no file is hers
}

TEST_P(Operations, AnExportStaysDueIfItChangedMeanwhileAndGoesWithItsUser) {
  const auto anna = meta().user(who("anna").user, true).value();
  const auto seen = meta().due_exports("", 10).value();
  ASSERT_EQ(seen.size(), 1U);
  ASSERT_TRUE(meta().subscribe(anna.name, "x"));
  ASSERT_TRUE(meta().export_done(seen[0].key, seen[0].version));
  ASSERT_EQ(meta().due_exports("", 10).value().size(), 1U);
  ASSERT_TRUE(meta().erase_user(anna.name));
  const auto again = meta().user(anna.name, true).value();
  ASSERT_NE(again.id, anna.id);
  reopen();
  const auto both = meta().due_exports("", 10).value();
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(both[0].user.name.text() + both[0].user.id.hex(), anna.id.hex());
  EXPECT_EQ(both[0].user.partition, "default");
  EXPECT_EQ(both[1].user.id, again.id);
  EXPECT_EQ(meta().due_exports(both[0].key, 10).value().size(), 1U);
  ASSERT_TRUE(meta().erase_user(anna.name));
  ASSERT_TRUE(meta().restore_user(anna));
  const auto restored = meta().due_exports("", 10).value();
  ASSERT_EQ(restored.size(), 2U);
  EXPECT_EQ(restored[0].user.id, again.id);
  EXPECT_EQ(restored[1].user.id, anna.id);
}

TEST_P(Operations, TheListCounterMovesForThoseConcerned) {
  create("user/anna");
  const auto counter = [&](std::string_view user) {
    return meta().list_counter(who(user).user).value();
  };
  const auto anna = counter("anna");
  const auto bob = counter("bob");
  create("user/anna/x");
  EXPECT_NE(counter("anna"), anna);
  EXPECT_EQ(counter("bob"), bob);
  set_acl("user/anna/x", "bob", "l");
  EXPECT_NE(counter("bob"), bob);
  const auto shared = counter("eve");
  create("news");
  set_acl("news", "anyone", "lr");
  EXPECT_NE(counter("eve"), shared);
}

TEST_P(Operations, RecipientsFindTheirMailboxes) {
  create("user/anna");
  create("user/anna/Lists/dev");
  create("news");
  const auto resolve = [&](std::string_view address) -> std::string {
    const auto to = parse_recipient(address, {});
    const auto entry = resolve_recipient(meta(), *to, Identity{.user = {}, .groups = {}});
    return entry ? entry->name.text() : std::string(name_of(entry.error().code));
  };
  EXPECT_EQ(resolve("anna"), "user/anna");
  EXPECT_EQ(resolve("anna+Lists/dev"), "user/anna");
  set_acl("user/anna/Lists/dev", "anyone", "p");
  EXPECT_EQ(resolve("anna+Lists/dev"), "user/anna/Lists/dev");
  EXPECT_EQ(resolve("anna+nothing"), "user/anna");
  EXPECT_EQ(resolve("anna+Other Users/bob"), "user/anna");
  EXPECT_EQ(resolve("bob"), "no_such_user");
  EXPECT_EQ(resolve("+news"), "no_such_mailbox");
  set_acl("news", "anyone", "l");
  EXPECT_EQ(resolve("+news"), "no_permission");
  set_acl("news", "anyone", "p");
  EXPECT_EQ(resolve("+news"), "news");
  EXPECT_EQ(resolve("+user/anna"), "no_such_mailbox");
}

TEST_P(Operations, NewMailboxesInheritTheNearestAcl) {
  create("user/anna");
  create("news");
  set_acl("news", "anyone", "lrp");
  EXPECT_EQ(inherited_acl(meta(), box("news/a/b")).value().text(), "anyone\tlrp\t");
  EXPECT_EQ(inherited_acl(meta(), box("user/bob")).value().entries()[0].identifier, "bob");
  EXPECT_TRUE(inherited_acl(meta(), box("other")).value().entries().empty());
}

TEST_P(Operations, ABackupIsAHome) {
  create("news");
  ASSERT_TRUE(meta().backup(home_ + "/copy"));
  const auto copy = EmbeddedMeta::open(home_ + "/copy", "test").value();
  EXPECT_TRUE(copy->lookup(box("news")));
}

}  // namespace
}  // namespace postern::meta
