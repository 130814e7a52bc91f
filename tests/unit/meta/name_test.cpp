// User and mailbox names: canonical forms, keys and their order.
#include "lib/meta/name.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace postern::meta {
namespace {

std::string canonical(std::string_view text) {
  const auto name = UserName::from_utf8(text);
  return name ? name->text() : "refused";
}

TEST(UserName, IsLowerCaseAndNfc) {
  EXPECT_EQ(canonical("Anna"), "anna");
  EXPECT_EQ(canonical("Anna@Example.ORG"), "anna@example.org");
  EXPECT_EQ(canonical("andre\xCC\x81"), "andr\xC3\xA9");
  EXPECT_EQ(UserName::from_utf8("anna@example.org")->local(), "anna");
  EXPECT_EQ(UserName::from_utf8("anna@example.org")->domain(), "example.org");
  EXPECT_EQ(UserName::from_utf8("anna")->domain(), "");
}

TEST(UserName, RefusesWhatWouldConfuseNamesAndIdentifiers) {
  for (const char* bad : {"", "a/b", "a b", "a*", "a%", "a+b", ".a", "-a", "anyone", "anonymous",
                          "a@", "a@b@c", "a@x/y", "a\x01", "\xFF"})
    EXPECT_EQ(canonical(bad), "refused") << bad;
  EXPECT_EQ(canonical(std::string(256, 'a')), "refused");
}

TEST(MailboxName, ReadsTheAdministratorsForm) {
  const auto sent = MailboxName::from_utf8("user/Anna/Sent@Example.org").value();
  EXPECT_EQ(sent.path(), "user/anna/Sent");
  EXPECT_EQ(sent.domain(), "example.org");
  EXPECT_EQ(sent.owner().text(), "anna@example.org");
  EXPECT_FALSE(sent.is_inbox());
  EXPECT_TRUE(sent.parent().is_inbox());
  EXPECT_TRUE(MailboxName::from_utf8("news/announce").value().owner().empty());
}

TEST(MailboxName, KnowsItsOwner) {
  const auto owned = [](std::string_view name, std::string_view user) {
    return MailboxName::from_utf8(name)->is_owned_by(UserName::from_utf8(user).value());
  };
  EXPECT_TRUE(owned("user/anna", "anna"));
  EXPECT_TRUE(owned("user/anna/Box@x.org", "anna@x.org"));
  EXPECT_FALSE(owned("user/annabel", "anna"));
  EXPECT_FALSE(owned("user/anna@x.org", "anna"));
  EXPECT_FALSE(owned("anna", "anna"));
  EXPECT_FALSE(MailboxName::from_utf8("user")->is_owned_by(UserName()));
}

TEST(MailboxName, RefusesBadLevelsAndCharacters) {
  for (const char* bad : {"", "/a", "a/", "a//b", "a*", "a%b", "a\x01", "a\x7F", "a\xC2\x85",
                          "\xFF", "user/a b", "user/", "a@b@c/d/"})
    EXPECT_FALSE(MailboxName::from_utf8(bad)) << bad;
  EXPECT_FALSE(MailboxName::from_utf8(std::string(1001, 'a')));
  std::string deep = "a";
  for (int i = 0; i < 50; ++i) deep += "/a";
  EXPECT_FALSE(MailboxName::from_utf8(deep));
}

TEST(MailboxName, AnAtSignInTheLastLevelIsNoDomain) {
  const auto inbox = MailboxName::inbox_of(UserName::from_utf8("anna").value());
  const auto list = inbox.child("Lists/dev@example.org").value();
  EXPECT_EQ(list.domain(), "");
  EXPECT_EQ(list.text(), "user/anna/Lists/dev@example.org@");
  EXPECT_EQ(MailboxName::from_utf8(list.text()).value(), list);
}

TEST(MailboxName, IsWithinItsTreeOnly) {
  const auto root = MailboxName::from_utf8("a/b").value();
  EXPECT_TRUE(root.is_within(root));
  EXPECT_TRUE(MailboxName::from_utf8("a/b/c").value().is_within(root));
  EXPECT_FALSE(MailboxName::from_utf8("a/bc").value().is_within(root));
  EXPECT_FALSE(MailboxName::from_utf8("a").value().is_within(root));
  EXPECT_FALSE(MailboxName::from_utf8("a/b/c@x.org").value().is_within(root));
}

rc::Gen<MailboxName> any_name() {
  const auto level =
      rc::gen::element<std::string>("a", "ab", "a b", "A", "a@b", "a.b", "-", "z!", "\xC3\xA9");
  const auto levels = rc::gen::resize(6, rc::gen::container<std::vector<std::string>>(level));
  const auto domain = rc::gen::element<std::string>("", "example.org", "other.example");
  return rc::gen::map(rc::gen::tuple(level, levels, domain), [](const auto& parts) {
    std::string path = std::get<0>(parts);
    for (const auto& next : std::get<1>(parts)) path += '/' + next;
    return MailboxName::from_utf8(path + '@' + std::get<2>(parts)).value();
  });
}

RC_GTEST_PROP(MailboxNameProperty, TextAndKeyAreUndone, ()) {
  const auto name = *any_name();
  RC_ASSERT(MailboxName::from_utf8(name.text()).value() == name);
  RC_ASSERT(MailboxName::from_key(name.key()).value() == name);
}

RC_GTEST_PROP(MailboxNameProperty, ATreeIsOneRunOfKeys, ()) {
  auto names = *rc::gen::container<std::vector<MailboxName>>(any_name());
  const auto root = *any_name();
  names.push_back(root);
  std::ranges::sort(names);
  const auto in = [&](const MailboxName& name) { return name.is_within(root); };
  const auto first = std::ranges::find_if(names, in);
  const auto end = std::find_if_not(first, names.end(), in);
  RC_ASSERT(*first == root);
  RC_ASSERT(std::none_of(end, names.end(), in));
}

}  // namespace
}  // namespace postern::meta
