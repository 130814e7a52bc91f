// What the tests of both forms of the metadata share.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <vector>

#include "lib/base/clock.h"
#include "lib/meta/meta.h"
#include "lib/meta/recipient.h"

namespace postern::meta {

inline MailboxName box(std::string_view name) { return MailboxName::from_utf8(name).value(); }

inline Identity who(std::string_view user, std::vector<std::string> groups = {}) {
  return {.user = UserName::from_utf8(user).value(), .groups = std::move(groups)};
}

template <typename T>
Errc code(const Result<T>& result) {
  EXPECT_FALSE(result.has_value());
  return result ? Errc::io : result.error().code;
}

inline QuotaResource storage(std::uint64_t limit) {
  return {.resource = Resource::storage, .usage = 0, .limit = limit};
}

/// The wall clock stands at `micros` while this lives.
class ClockAt {
 public:
  explicit ClockAt(std::int64_t micros) { set_wall_micros_for_tests(micros); }
  ~ClockAt() { set_wall_micros_for_tests(0); }
};

class MetaTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/postern-meta-XXXXXX";
    home_ = ::mkdtemp(name);
  }
  void TearDown() override { std::filesystem::remove_all(home_); }
  virtual Meta& meta() = 0;

  MailboxEntry create(std::string_view name, std::string_view special_use = {}) {
    const auto at = box(name);
    auto made = meta().create({.name = at,
                               .id = random_mailbox_id(),
                               .partition = "default",
                               .acl = Acl::standard_for(at),
                               .special_use = std::string(special_use)});
    EXPECT_TRUE(made) << name;
    return made.value();
  }
  MailboxEntry set_acl(std::string_view name, std::string_view identifier,
                       std::string_view rights) {
    return meta().set_acl(box(name), identifier, Rights::from_text(rights).value()).value();
  }
  static std::string joined(const std::vector<ListedMailbox>& found) {
    std::string out;
    for (const auto& listed : found) out += (out.empty() ? "" : " ") + listed.entry.name.text();
    return out;
  }
  std::string listed(std::string_view user, std::vector<std::string> groups = {},
                     const std::vector<std::string>& roots = {}) {
    ListScope scope{.who = who(user, std::move(groups)), .roots = {}};
    for (const auto& root : roots) scope.roots.push_back(box(root));
    return joined(meta().list(scope).value());
  }
  std::string listed_as_admin() {
    ListScope scope{.who = who("root"), .roots = {}};
    scope.who.admin = true;
    return joined(meta().list(scope).value());
  }
  std::uint64_t used(std::string_view root) {
    return meta().quota(box(root)).value().resources.at(0).usage;
  }

  std::string home_;
};

}  // namespace postern::meta
