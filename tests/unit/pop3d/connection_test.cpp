#include "pop3d/connection.h"

#include <gtest/gtest.h>

#include "lib/base/wire.h"

namespace postern::pop3d {
namespace {

TEST(Connection, ComesBackFromItsRecordAsItWas) {
  Connection conn;
  conn.state = State::transaction;
  conn.who.user = meta::UserName::from_utf8("anna@example.org").value();
  conn.who.groups = {"group:staff", "group:all"};
  conn.maildrop.name = meta::MailboxName::from_utf8("user/anna/Sent@example.org").value();
  conn.maildrop.rights = meta::Rights::all();
  conn.maildrop.view = {random_mailbox_id(), UidValidity(7), Uid(100), ModSeq(5), ModSeq(6), 42};
  conn.maildrop.deleted = {1, 2, 3, 7, 9, 10};
  conn.maildrop.retrieved = {4};
  conn.utf8 = true;
  const auto back = Connection::restore(conn.serialise()).value();
  EXPECT_EQ(back.serialise(), conn.serialise());
  EXPECT_EQ(back.maildrop.deleted, conn.maildrop.deleted);
  EXPECT_EQ(back.maildrop.view.exists, 42U);
  EXPECT_EQ(back.who.user.text(), "anna@example.org");
}

TEST(Connection, AnUnknownCriticalFieldIsRefusedAnotherSkipped) {
  TlvWriter critical;
  critical.bytes(900 | kCriticalTag, "x");
  EXPECT_EQ(Connection::restore(std::move(critical).take()).error().code, Errc::not_supported);
  TlvWriter other;
  other.bytes(900, "x");
  EXPECT_TRUE(Connection::restore(std::move(other).take()));
}

TEST(Connection, ARecordCutAnywhereIsAnErrorOrShorterNeverARead) {
  Connection conn;
  conn.claimed_user = "anna";
  const std::string whole = conn.serialise();
  for (std::size_t n = 0; n < whole.size(); ++n) (void)Connection::restore(whole.substr(0, n));
}

}  // namespace
}  // namespace postern::pop3d
