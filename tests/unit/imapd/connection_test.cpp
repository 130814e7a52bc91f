#include "imapd/connection.h"

#include <gtest/gtest.h>

#include "lib/base/wire.h"

namespace postern::imap {
namespace {

Connection full() {
  Connection conn;
  conn.state = Connection::State::selected;
  conn.idle_tag = "a]{";
  conn.who.user = meta::UserName::from_utf8("anna@example.org").value();
  conn.who.groups = {"group:staff", "group:all"};
  conn.who.admin = true;
  conn.authenticated_as = "admin";
  conn.user_generation = 7;
  conn.failed_logins = 2;
  conn.bad_commands = 3;
  conn.enabled = enabled::condstore | enabled::utf8;
  conn.client_id = "Test/1";
  conn.login_at = 1700000000;
  conn.commands = 12;
  conn.octets_in = 1ULL << 40;
  conn.octets_out = 5;
  SelectedMailbox selected;
  selected.mark = {random_mailbox_id(), UidValidity(9), Uid(100),
                   ModSeq(1ULL << 50),  ModSeq(8),      42};
  selected.read_only = true;
  selected.recent = {{Uid(1), Uid(2)}, {Uid(9), Uid(UINT32_MAX)}};
  selected.told_keywords = 5;
  selected.saved_search = {{Uid(4), Uid(4)}};
  conn.selected = selected;
  return conn;
}

TEST(Connection, SurvivesItsRecord) {
  const Connection before = full();
  const std::string record = before.serialise();
  const auto after = Connection::restore(record);
  ASSERT_TRUE(after) << after.error().text;
  EXPECT_EQ(after->serialise(), record);
  EXPECT_EQ(after->who.user.text(), "anna@example.org");
  EXPECT_EQ(after->selected->mark.mailbox, before.selected->mark.mailbox);
  EXPECT_EQ(after->selected->mark.told_expunge, before.selected->mark.told_expunge);
  EXPECT_EQ(after->selected->recent, before.selected->recent);
  EXPECT_EQ(after->selected->saved_search, before.selected->saved_search);
  EXPECT_EQ(after->idle_tag, "a]{");
  EXPECT_TRUE(after->selected->read_only);
}

TEST(Connection, AFreshOneIsSmall) {
  EXPECT_LT(Connection{}.serialise().size(), 120U);
  EXPECT_TRUE(Connection::restore(Connection{}.serialise()));
}

TEST(Connection, RefusesUnknownCriticalFieldsAndSkipsOthers) {
  TlvWriter extra;
  extra.number(999, std::uint8_t{1});
  const std::string record = full().serialise();
  EXPECT_TRUE(Connection::restore(record + std::move(extra).take()));
  TlvWriter critical;
  critical.number(kCriticalTag | 999, std::uint8_t{1});
  const auto refused = Connection::restore(record + std::move(critical).take());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::not_supported);
}

TEST(Connection, EveryCutOfARecordIsRefusedOrConsistent) {
  const std::string record = full().serialise();
  for (std::size_t size = 0; size < record.size(); ++size) {
    const auto cut = Connection::restore(record.substr(0, size));
    if (cut) {
      EXPECT_EQ(cut->state == Connection::State::selected, cut->selected.has_value());
    }
  }
}

}  // namespace
}  // namespace postern::imap
