// RFC 4314: rights, their letters, and who gets them.
#include "lib/meta/acl.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace postern::meta {
namespace {

Identity person(std::string_view name, std::vector<std::string> groups = {}) {
  return {.user = UserName::from_utf8(name).value(), .groups = std::move(groups)};
}
MailboxName box(std::string_view name) { return MailboxName::from_utf8(name).value(); }
std::string rights(const Acl& acl, const Identity& who, std::string_view name) {
  return acl.rights_of(who, box(name)).text(false);
}
Rights letters(std::string_view text) { return Rights::from_text(text).value(); }

TEST(Rights, ObsoleteLettersStandForTheirMembers) {
  EXPECT_EQ(letters("d"), letters("te"));
  EXPECT_EQ(letters("c"), letters("kx"));
  EXPECT_EQ(letters("t").text(), "td");
  EXPECT_EQ(letters("x").text(), "xc");
  EXPECT_EQ(Rights::all().text(), "lrswipkxteancd");
  EXPECT_FALSE(Rights::from_text("lq"));
}

RC_GTEST_PROP(RightsProperty, ParsingUndoesFormatting, (std::uint32_t bits)) {
  const Rights some = Rights::from_bits(bits);
  RC_ASSERT(letters(some.text(false)) == some);
}

TEST(Acl, UnitesLinesAndTakesNegativeOnesAway) {
  Acl acl;
  acl.set("anyone", letters("lr"));
  acl.set("anna", letters("wi"));
  acl.set("-anna", letters("r"));
  EXPECT_EQ(rights(acl, person("anna"), "news"), "lwi");
  EXPECT_EQ(rights(acl, person("bob"), "news"), "lr");
}

TEST(Acl, GroupsAndAnonymousMatchTheirLines) {
  Acl acl;
  acl.set("group:staff", letters("lrs"));
  acl.set("anonymous", letters("l"));
  acl.set("-group:interns", letters("s"));
  EXPECT_EQ(rights(acl, person("anna", {"group:staff", "group:interns"}), "news"), "lr");
  EXPECT_EQ(rights(acl, person("bob"), "news"), "");
  EXPECT_EQ(rights(acl, Identity{.user = {}, .groups = {}, .anonymous = true}, "news"), "l");
}

TEST(Acl, TheOwnerKeepsLookupAndAdminister) {
  Acl acl;
  acl.set("-anna", Rights::all());
  EXPECT_EQ(rights(acl, person("anna"), "user/anna/Box"), "la");
  EXPECT_EQ(rights(acl, person("anna"), "user/bob/Box"), "");
}

TEST(Acl, AnAdminAdministersButDoesNotRead) {
  Identity admin = person("root");
  admin.admin = true;
  EXPECT_EQ(rights(Acl(), admin, "user/anna"), "lkxa");
}

TEST(Acl, AnyoneOfADomainIsNobodyElsewhere) {
  Acl acl;
  acl.set("anyone", letters("lr"));
  EXPECT_EQ(rights(acl, person("anna@example.org"), "news@example.org"), "lr");
  EXPECT_EQ(rights(acl, person("anna@example.org"), "news@other.org"), "");
  EXPECT_EQ(rights(acl, person("anna@example.org"), "news"), "lr");
}

TEST(Acl, EmptyRightsRemoveALine) {
  Acl acl;
  acl.set("anna", letters("lr"));
  acl.set("anna", Rights());
  EXPECT_TRUE(acl.entries().empty());
}

TEST(Acl, TextIsReadBackAndDamageIsRefused) {
  Acl acl;
  acl.set("anna", Rights::all());
  acl.set("-group:a b", letters("p"));
  EXPECT_EQ(Acl::from_text(acl.text()).value(), acl);
  EXPECT_FALSE(Acl::from_text("anna\tlr"));
  EXPECT_FALSE(Acl::from_text("anna\tQ\t"));
}

TEST(Acl, IdentifiersAreCanonical) {
  EXPECT_EQ(canonical_identifier("Anna").value(), "anna");
  EXPECT_EQ(canonical_identifier("-Anna").value(), "-anna");
  EXPECT_EQ(canonical_identifier("anyone").value(), "anyone");
  EXPECT_EQ(canonical_identifier("-group:Staff").value(), "-group:Staff");
  EXPECT_FALSE(canonical_identifier("a b"));
  EXPECT_FALSE(canonical_identifier("group:"));
  EXPECT_FALSE(canonical_identifier("group:a\tb"));
}

}  // namespace
}  // namespace postern::meta
