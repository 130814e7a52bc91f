#include "tools/adm/server_name.h"

#include <gtest/gtest.h>

namespace postern::tools {
namespace {

std::string first_of(std::string_view text) {
  const auto found = find_server(text, 143);
  return found ? found->front().text() : std::string(name_of(found.error().code));
}

TEST(ServerName, TakesAddressesWithAndWithoutAPort) {
  EXPECT_EQ(first_of("127.0.0.1"), "127.0.0.1:143");
  EXPECT_EQ(first_of("127.0.0.1:993"), "127.0.0.1:993");
  EXPECT_EQ(first_of("::1"), "[::1]:143");
  EXPECT_EQ(first_of("[::1]"), "[::1]:143");
  EXPECT_EQ(first_of("[::1]:993"), "[::1]:993");
  EXPECT_EQ(first_of("/run/postern/imap"), "unix:/run/postern/imap");
}

TEST(ServerName, LooksNamesUp) {
  const std::string found = first_of("localhost:993");
  EXPECT_TRUE(found == "127.0.0.1:993" || found == "[::1]:993") << found;
  EXPECT_EQ(first_of("nosuch.invalid"), "unavailable");
}

TEST(ServerName, RefusesWhatIsNoPort) {
  EXPECT_EQ(first_of("127.0.0.1:0"), "bad_syntax");
  EXPECT_EQ(first_of("127.0.0.1:65536"), "bad_syntax");
  EXPECT_EQ(first_of("127.0.0.1:imap"), "bad_syntax");
}

}  // namespace
}  // namespace postern::tools
