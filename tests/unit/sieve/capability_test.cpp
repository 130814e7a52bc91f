// What Cyrus and Pigeonhole offer by default, or when asked to, is there or named in doc/sieve.md
// with the reason why not.
#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <iterator>

#include "sieve/capability.h"

namespace postern::sieve {
namespace {

// The SIEVE line of Pigeonhole 0.5 (Debian 12), and what sieve_extensions and its plugins add.
constexpr std::array<std::string_view, 48> kPigeonhole{"fileinto",
                                                       "reject",
                                                       "envelope",
                                                       "encoded-character",
                                                       "vacation",
                                                       "subaddress",
                                                       "comparator-i;ascii-numeric",
                                                       "relational",
                                                       "regex",
                                                       "imap4flags",
                                                       "copy",
                                                       "include",
                                                       "variables",
                                                       "body",
                                                       "enotify",
                                                       "environment",
                                                       "mailbox",
                                                       "date",
                                                       "index",
                                                       "ihave",
                                                       "duplicate",
                                                       "mime",
                                                       "foreverypart",
                                                       "extracttext",
                                                       "comparator-i;octet",
                                                       "comparator-i;ascii-casemap",
                                                       "ereject",
                                                       "replace",
                                                       "enclose",
                                                       "vacation-seconds",
                                                       "spamtest",
                                                       "spamtestplus",
                                                       "virustest",
                                                       "editheader",
                                                       "mboxmetadata",
                                                       "servermetadata",
                                                       "special-use",
                                                       "imapsieve",
                                                       "imapflags",
                                                       "notify",
                                                       "vnd.dovecot.config",
                                                       "vnd.dovecot.debug",
                                                       "vnd.dovecot.environment",
                                                       "vnd.dovecot.execute",
                                                       "vnd.dovecot.filter",
                                                       "vnd.dovecot.imapsieve",
                                                       "vnd.dovecot.pipe",
                                                       "vnd.dovecot.report"};

// The default of sieve_extensions of Cyrus 3.8, with the older names that it takes.
constexpr std::array<std::string_view, 49> kCyrus{"fileinto",
                                                  "reject",
                                                  "ereject",
                                                  "vacation",
                                                  "vacation-seconds",
                                                  "notify",
                                                  "enotify",
                                                  "include",
                                                  "envelope",
                                                  "environment",
                                                  "body",
                                                  "relational",
                                                  "regex",
                                                  "subaddress",
                                                  "copy",
                                                  "date",
                                                  "index",
                                                  "imap4flags",
                                                  "imapflags",
                                                  "mailbox",
                                                  "mboxmetadata",
                                                  "servermetadata",
                                                  "variables",
                                                  "editheader",
                                                  "extlists",
                                                  "duplicate",
                                                  "ihave",
                                                  "fcc",
                                                  "special-use",
                                                  "redirect-dsn",
                                                  "redirect-deliverby",
                                                  "mailboxid",
                                                  "encoded-character",
                                                  "comparator-i;ascii-numeric",
                                                  "comparator-i;octet",
                                                  "comparator-i;ascii-casemap",
                                                  "comparator-i;unicode-casemap",
                                                  "processcalendar",
                                                  "snooze",
                                                  "vnd.cyrus.imip",
                                                  "vnd.cyrus.implicit_keep_target",
                                                  "vnd.cyrus.jmapquery",
                                                  "vnd.cyrus.log",
                                                  "vnd.cyrus.snooze",
                                                  "x-cyrus-jmapquery",
                                                  "x-cyrus-log",
                                                  "x-cyrus-snooze",
                                                  "envelope-dsn",
                                                  "envelope-deliverby"};

std::string left_out() {
  std::ifstream in(SIEVE_MANUAL);
  const std::string text(std::istreambuf_iterator<char>(in), {});
  const auto at = text.find("## What Cyrus or Pigeonhole have and Postern has not");
  return at == std::string::npos ? std::string() : text.substr(at);
}

TEST(Capabilities, OfOthersAreThereOrNamedInTheManual) {
  const std::string manual = left_out();
  ASSERT_FALSE(manual.empty());
  const auto check = [&](std::string_view name) {
    const bool named = manual.find('`' + std::string(name) + '`') != std::string::npos;
    EXPECT_TRUE(find_capability(name).has_value() || named) << name;
  };
  for (const auto name : kPigeonhole) check(name);
  for (const auto name : kCyrus) check(name);
}

}  // namespace
}  // namespace postern::sieve
