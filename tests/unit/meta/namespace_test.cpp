// What clients call mailboxes, and addresses.
#include "lib/meta/namespace.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "lib/meta/recipient.h"

namespace postern::meta {
namespace {

Namespace view_of(std::string_view user, bool admin = false) {
  return Namespace({.user = UserName::from_utf8(user).value(), .groups = {}, .admin = admin});
}
std::string internal(const Namespace& view, std::string_view client) {
  const auto name = view.to_internal(client);
  return name ? name->text() : std::string(name_of(name.error().code));
}
std::string client(const Namespace& view, std::string_view name) {
  return view.to_client(MailboxName::from_utf8(name).value());
}

TEST(Namespace, InboxIsKnownInAnyCase) {
  const auto anna = view_of("anna");
  EXPECT_EQ(internal(anna, "INBOX"), "user/anna");
  EXPECT_EQ(internal(anna, "inBox"), "user/anna");
  EXPECT_EQ(internal(anna, "inbox/Lists"), "user/anna/INBOX/Lists");
  EXPECT_EQ(client(anna, "user/anna"), "INBOX");
}

TEST(Namespace, OwnTreeIsAtTheTopLevel) {
  const auto anna = view_of("anna@example.org");
  EXPECT_EQ(internal(anna, "Sent"), "user/anna/Sent@example.org");
  EXPECT_EQ(internal(anna, "dev@lists"), "user/anna/dev@lists@example.org");
  EXPECT_EQ(client(anna, "user/anna/Sent@example.org"), "Sent");
}

TEST(Namespace, OthersAndSharedHavePrefixes) {
  const auto anna = view_of("anna");
  EXPECT_EQ(internal(anna, "Other Users/Bob/Box"), "user/bob/Box");
  EXPECT_EQ(internal(anna, "Other Users/bob"), "user/bob");
  EXPECT_EQ(internal(anna, "Shared Folders/news/announce"), "news/announce");
  EXPECT_EQ(client(anna, "user/bob/Box"), "Other Users/bob/Box");
  EXPECT_EQ(client(anna, "user/bob"), "Other Users/bob");
  EXPECT_EQ(client(anna, "news"), "Shared Folders/news");
  EXPECT_EQ(internal(anna, "Other Users"), "no_such_mailbox");
  EXPECT_EQ(internal(anna, "Shared Folders"), "no_such_mailbox");
  EXPECT_EQ(internal(anna, "Shared Folders/user/bob"), "no_such_mailbox");
  EXPECT_EQ(internal(anna, "Other Usersfoo"), "user/anna/Other Usersfoo");
}

TEST(Namespace, OtherDomainsAreNamed) {
  const auto anna = view_of("anna@example.org");
  EXPECT_EQ(internal(anna, "Other Users/bob"), "user/bob@example.org");
  EXPECT_EQ(client(anna, "user/bob/Box@other.org"), "Other Users/bob@other.org/Box");
  EXPECT_EQ(internal(anna, "Other Users/bob@other.org/Box"), "user/bob/Box@other.org");
  EXPECT_EQ(client(anna, "news/a"), "Shared Folders/news@/a");
  EXPECT_EQ(internal(anna, "Shared Folders/news@/a"), "news/a");
}

TEST(Namespace, AdministratorsSeeEverythingAsItIs) {
  const auto admin = view_of("root", true);
  EXPECT_EQ(internal(admin, "user/anna/Sent@example.org"), "user/anna/Sent@example.org");
  EXPECT_EQ(internal(admin, "INBOX"), "user/root");
  EXPECT_EQ(client(admin, "news@example.org"), "news@example.org");
  EXPECT_EQ(client(admin, "user/root"), "INBOX");
}

TEST(Namespace, PrefixesAreConfigurable) {
  const Namespace anna({.user = UserName::from_utf8("anna").value(), .groups = {}},
                       {.other_users = "~", .shared = "Public"});
  EXPECT_EQ(internal(anna, "~/bob"), "user/bob");
  EXPECT_EQ(client(anna, "news"), "Public/news");
}

RC_GTEST_PROP(NamespaceProperty, ToInternalUndoesToClient, ()) {
  const auto user = *rc::gen::element<std::string>("anna", "anna@example.org", "eve@other.org");
  const auto view = view_of(user, *rc::gen::arbitrary<bool>());
  const auto head =
      *rc::gen::element<std::string>("user/anna", "user/bob", "news", "a@b", "user/eve");
  const auto tail = *rc::gen::container<std::vector<std::string>>(
      rc::gen::element<std::string>("/Box", "/x@y", "/INBOX", "/user", "/ "));
  const auto domain = *rc::gen::element<std::string>("", "example.org", "other.org");
  std::string path = head;
  for (const auto& level : tail) path += level;
  const auto name = MailboxName::from_utf8(path + '@' + domain);
  // "user/x/INBOX" is a name that create() refuses: the client's INBOX hides it.
  RC_PRE(name.has_value() && !(tail.size() == 1 && tail[0] == "/INBOX"));
  RC_ASSERT(view.to_internal(view.to_client(*name)).value() == *name);
}

TEST(Recipient, IsTakenApart) {
  const AddressRules rules{.default_domain = "example.org", .post_user = "bb"};
  const auto parse = [&](std::string_view address) {
    const auto r = parse_recipient(address, rules);
    return r ? r->user.text() + "|" + r->domain + "|" + r->detail : std::string("refused");
  };
  EXPECT_EQ(parse("Anna"), "anna||");
  EXPECT_EQ(parse("anna@EXAMPLE.org"), "anna||");
  EXPECT_EQ(parse("anna@other.org"), "anna@other.org|other.org|");
  EXPECT_EQ(parse("anna+Lists/dev@example.org"), "anna||Lists/dev");
  EXPECT_EQ(parse("+news/announce@example.org"), "||news/announce");
  EXPECT_EQ(parse("bb+news"), "||news");
  EXPECT_EQ(parse("+@example.org"), "refused");
  EXPECT_EQ(parse("a b@example.org"), "refused");
}

}  // namespace
}  // namespace postern::meta
