#include "sieve/managesieved/request.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "lib/net/fd_passing.h"

namespace postern::managesieved {
namespace {

/// What read_request() makes of `wire`, sent and closed.
Result<Request> parse(std::string_view wire, std::string* rest = nullptr) {
  auto pair = net::make_stream_pair().value();
  EXPECT_TRUE(write_all(pair.a.get(), wire));
  pair.a.reset();
  net::Stream in(std::move(pair.b));
  auto request = read_request(in, {.line = 200, .literal = 1000});
  if (rest != nullptr) *rest = in.buffered();
  return request;
}

TEST(Request, QuotedStringsNumbersAndLiteralsAreArguments) {
  const auto request = parse("putscript \"a \\\"b\\\"\" {6+}\r\nkeep;\n 7\r\n").value();
  EXPECT_EQ(request.keyword, "PUTSCRIPT");
  ASSERT_EQ(request.arguments.size(), 3U);
  EXPECT_EQ(std::get<std::string>(request.arguments[0]), "a \"b\"");
  EXPECT_EQ(std::get<std::string>(request.arguments[1]), "keep;\n");
  EXPECT_EQ(std::get<std::uint64_t>(request.arguments[2]), 7U);
}

TEST(Request, AWrongCommandIsReadToItsEnd) {
  std::string rest;
  EXPECT_EQ(parse("PUTSCRIPT x {3+}\r\nabc\r\nNOOP\r\n", &rest).error().code, Errc::bad_syntax);
  EXPECT_EQ(rest, "NOOP\r\n");
  EXPECT_EQ(parse("{3+}\r\nabc\r\nNOOP\r\n", &rest).error().code, Errc::bad_syntax);
  EXPECT_EQ(rest, "NOOP\r\n");
}

// RFC 5804 §1.5: too large is NO with QUOTA, so the session has to go on.
TEST(Request, AStringOverTheLimitIsReadAndDropped) {
  std::string rest;
  const auto request =
      parse("PUTSCRIPT \"a\" {1001+}\r\n" + std::string(1001, 'x') + "\r\nNOOP\r\n", &rest).value();
  EXPECT_TRUE(request.too_big);
  EXPECT_EQ(request.arguments.size(), 1U);
  EXPECT_EQ(rest, "NOOP\r\n");
}

TEST(Request, LimitsEndTheConversation) {
  EXPECT_EQ(parse("PUTSCRIPT \"a\" {67108865+}\r\n").error().code, Errc::too_big);
  EXPECT_EQ(parse(std::string(300, 'x') + "\r\n").error().code, Errc::too_big);
  EXPECT_EQ(parse("PUTSCRIPT \"a\" {10+}\r\nabc").error().code, Errc::closed);
}

TEST(Request, UnclosedAndForeignStringsAreErrors) {
  for (const char* bad : {"NOOP \"a\r\n", "NOOP \"a\\\r\n", "NOOP \"\xff\"\r\n", "NOOP abc\r\n"})
    EXPECT_EQ(parse(bad).error().code, Errc::bad_syntax) << bad;
}

TEST(WireString, IsQuotedWhereTheProtocolAllows) {
  EXPECT_EQ(wire_string("a\"b\\"), "\"a\\\"b\\\\\"");
  EXPECT_EQ(wire_string("a\r\nb"), "{4}\r\na\r\nb");
  EXPECT_EQ(wire_string(std::string(1025, 'x')).substr(0, 8), "{1025}\r\n");
}

}  // namespace
}  // namespace postern::managesieved
