// Address lists: RFC 5322 appendix A, the obsolete forms, and junk.
#include "lib/mime/address.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "lib/base/text.h"

namespace postern::mime {
namespace {

// "name|route|local|domain" for each, "name{" and "}" for groups; "-" where there is none.
std::string show(std::string_view value) {
  std::string out;
  for (const Address& a : parse_address_list(value)) {
    if (!out.empty()) out += ' ';
    if (a.kind == Address::Kind::group_start) {
      out += a.name + "{";
    } else if (a.kind == Address::Kind::group_end) {
      out += "}";
    } else {
      out += (a.has_name ? a.name : "-") + "|" + a.route + "|" + a.local_part + "|" +
             (a.has_domain ? a.domain : "-");
    }
  }
  return out;
}

TEST(AddressList, Plain) {
  EXPECT_EQ(show(""), "");
  EXPECT_EQ(show(" , ,"), "");
  EXPECT_EQ(show("a@b"), "-||a|b");
  EXPECT_EQ(show("<a@b>, c@d"), "-||a|b -||c|d");
  EXPECT_EQ(show("John Q. Public <john@x.org>"), "John Q. Public||john|x.org");
  EXPECT_EQ(show("\"Joe \\\"Q\\\", jr\" <a@b>"), "Joe \"Q\", jr||a|b");
}

// RFC 5322 appendix A.1.3, A.5, A.6.1 and A.6.3
TEST(AddressList, ExamplesOfTheRfc) {
  EXPECT_EQ(show("A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;"),
            "A Group{ Ed Jones||c|a.test -||joe|where.test John||jdoe|one.test }");
  EXPECT_EQ(show("Undisclosed recipients:;"), "Undisclosed recipients{ }");
  EXPECT_EQ(show("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>"),
            "Pete||pete|silly.test");
  EXPECT_EQ(show("A Group(Some people)\r\n :Chris Jones <c@(Chris's host.)public.example>,\r\n "
                 "joe@example.org,\r\n John <jdoe@one.test> (my dear friend); (the end)"),
            "A Group{ Chris Jones||c|public.example -||joe|example.org John||jdoe|one.test }");
  EXPECT_EQ(show("(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;"),
            "Hidden recipients{ }");
  EXPECT_EQ(show("Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example"),
            "Mary Smith|@node.test|mary|example.net -||jdoe|test.example");
}

TEST(AddressList, LocalPartsAndDomains) {
  EXPECT_EQ(show("\"a b\"@c"), "-||a b|c");
  EXPECT_EQ(show("a . b@c"), "-||a.b|c");
  EXPECT_EQ(show("<\"a\".b@c>"), "-||a.b|c");
  EXPECT_EQ(show("a@[127.0.0.1]"), "-||a|[127.0.0.1]");
  EXPECT_EQ(show("<a@[IPv6:::1]>, b@c"), "-||a|[IPv6:::1] -||b|c");
  EXPECT_EQ(show("r\xC3\xBC@b\xC3\xBC.example"), "-||r\xC3\xBC|b\xC3\xBC.example");
}

TEST(AddressList, CommentsNameAddressesWithoutAName) {
  EXPECT_EQ(show("a@b (Joe), c@d"), "Joe||a|b -||c|d");
  EXPECT_EQ(show("(Joe) a@b"), "Joe||a|b");
  EXPECT_EQ(show("X <a@b> (Joe)"), "X||a|b");
}

TEST(AddressList, EncodedWordsMayHoldSpecials) {
  EXPECT_EQ(show("=?utf-8?Q?M=C3=BCller,_Jo?= <a@b>"), "=?utf-8?Q?M=C3=BCller,_Jo?=||a|b");
}

TEST(AddressList, Junk) {
  EXPECT_EQ(show("root"), "-||root|-");
  EXPECT_EQ(show("no address at all"), "-||no address at all|-");
  EXPECT_EQ(show("<>"), "-|||-");
  EXPECT_EQ(show("John Smith john@x"), "John Smith||john|x");
  EXPECT_EQ(show("a@b c@d"), "-||a|b -||c|d");
  EXPECT_EQ(show("<a@b, c@d"), "-||a|b -||c|d");
  EXPECT_EQ(show("x (open <a@b>"), "x open||a|b");
  EXPECT_EQ(show("\"open <a@b>"), "-||open <a@b>|-");
  EXPECT_EQ(show("g: a@b"), "g{ -||a|b }");
  EXPECT_EQ(show("g: h: a@b;"), "g{ } h{ -||a|b }");
  EXPECT_EQ(show(">>> a@b"), "-||a|b");
}

TEST(AddressList, LimitIsKept) {
  std::string many = "g:";
  for (int i = 0; i < 1000; ++i) many += "a@b,";
  EXPECT_LE(parse_address_list(many, 10).size(), 10U);
}

TEST(Address, SpecIsQuotedWhereItMustBe) {
  EXPECT_EQ(parse_address_list("\"a b\"@c")[0].addr_spec(), "\"a b\"@c");
  EXPECT_EQ(parse_address_list("\"a\\\"\"@c")[0].addr_spec(), "\"a\\\"\"@c");
  EXPECT_EQ(parse_address_list("\"a.b\"@c")[0].addr_spec(), "a.b@c");
  EXPECT_EQ(parse_address_list("root")[0].addr_spec(), "root");
  EXPECT_EQ(parse_address_list("<=?a?q?b?=@c>")[0].addr_spec(), "\"=?a?q?b?=\"@c");
}

RC_GTEST_PROP(AddressProperty, SpecIsReadBack, ()) {
  Address address;
  address.has_domain = true;
  address.domain = "example.org";
  address.local_part = *rc::gen::container<std::string>(rc::gen::inRange(char{32}, char{127}));
  RC_PRE(!address.local_part.empty());
  const auto read = parse_address_list(address.addr_spec());
  RC_ASSERT(read.size() == 1U);
  RC_ASSERT(read[0] == address);
}

}  // namespace
}  // namespace postern::mime
