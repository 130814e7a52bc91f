// What the configuration says to scripts: scores, lists, and where a message came from.
#include "sieve/site/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sieve/site/lists.h"
#include "sieve/site/remote.h"

namespace postern::site {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Result<Settings> settings(std::initializer_list<const char*> assignments) {
  auto config = config::Config::parse("").value();
  for (const auto* one : assignments) EXPECT_TRUE(config.set(one)) << one;
  return Settings::from(config);
}

TEST(SiteSettings, ScoresOfSpamAssassinsStatusField) {
  const auto spam = settings({"sieve.spamtest_field=X-Spam-Status: score=(-?[0-9.]+)",
                              "sieve.spamtest_max=X-Spam-Status: required=([0-9.]+)"})
                        ->spam;
  EXPECT_EQ(spam.score.field, "X-Spam-Status");
  EXPECT_TRUE(spam.score.pattern);
  EXPECT_EQ(spam.max_place.field, "X-Spam-Status");
  EXPECT_EQ(settings({"sieve.spamtest_field=X-Spam-Score", "sieve.spamtest_max=7.5"})->spam.max,
            7.5);
}

TEST(SiteSettings, WordsOfAVirusScanner) {
  const auto virus =
      settings({"sieve.virustest_field=X-Virus", "sieve.virustest_words=1=clean,5=found it"})
          ->virus;
  EXPECT_EQ(virus.form, sieve::ScoreSource::Form::words);
  EXPECT_THAT(virus.words, ElementsAre(testing::Pair(1, "clean"), testing::Pair(5, "found it")));
}

TEST(SiteSettings, MistakesAreNamed) {
  for (const auto& [assignment, text] : {std::pair{"sieve.spamtest_form=digits", "digits"},
                                         {"sieve.spamtest_max=0", "not above 0"},
                                         {"sieve.spamtest_field=X: (", "regular expression"},
                                         {"sieve.virustest_words=6=worse", "1 to 5"},
                                         {"sieve.virustest_field=X", "needs some"}}) {
    const auto wrong = settings({assignment});
    ASSERT_FALSE(wrong) << assignment;
    EXPECT_THAT(wrong.error().text, HasSubstr(text));
    EXPECT_EQ(wrong.error().code, Errc::bad_syntax);
  }
}

TEST(SiteLists, EntriesDomainsAndComments) {
  const List list(
      "# friends\r\nAnna@Example.org  # in May\n\n@example.net\nhttps://example.com/x\n");
  EXPECT_TRUE(list.contains("anna@example.ORG"));
  EXPECT_TRUE(list.contains("whoever@example.net"));
  EXPECT_TRUE(list.contains("https://example.com/x"));
  EXPECT_FALSE(list.contains("bob@example.org"));
  EXPECT_FALSE(list.contains("friends"));
  EXPECT_THAT(list.addresses(), ElementsAre("Anna@Example.org"));
}

Remote remote(const std::string& received) {
  return remote_of("Received: from mx by us;\r\n x\r\nReceived: " + received + "\r\n\r\n");
}

TEST(SiteRemote, OfTheFieldsThatMtasWrite) {
  // Postfix
  auto found = remote("from helo.example (mail.example.net [192.0.2.7])\r\n\tby mx.example.org");
  EXPECT_EQ(found.ip, "192.0.2.7");
  EXPECT_EQ(found.host, "mail.example.net");
  found = remote("from [198.51.100.1] (unknown [IPv6:2001:db8::7])\r\n\tby mx.example.org");
  EXPECT_EQ(found.ip, "2001:db8::7");
  EXPECT_EQ(found.host, "");
  // Exim
  found = remote("from mail.example.net ([192.0.2.7] helo=[198.51.100.1])\r\n\tby mx");
  EXPECT_EQ(found.ip, "192.0.2.7");
  EXPECT_EQ(found.host, "mail.example.net");
  found = remote("from [192.0.2.7] (helo=[198.51.100.1])\r\n\tby mx");
  EXPECT_EQ(found.ip, "192.0.2.7");
  EXPECT_EQ(found.host, "");
  // Sendmail, without a name in the DNS: the HELO is no host
  found = remote("from helo.example ([192.0.2.7]) by mx");
  EXPECT_EQ(found.ip, "192.0.2.7");
  EXPECT_EQ(found.host, "");
}

TEST(SiteRemote, MailThatBeganHere) {
  EXPECT_EQ(remote("by mx.example.org (Postfix, from userid 1000)").ip, "");
  EXPECT_EQ(remote_of("Received: from a (b [192.0.2.1]) by us\r\n\r\n").ip, "");
  EXPECT_EQ(remote("from a (b [not an address]) by us").ip, "");
}

}  // namespace
}  // namespace postern::site
