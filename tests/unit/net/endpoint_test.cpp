#include "lib/net/endpoint.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/random.h"

namespace postern::net {
namespace {

using std::chrono::milliseconds;

std::string text_of(std::string_view text) {
  const auto endpoint = Endpoint::parse(text);
  return endpoint ? endpoint->text() : "error";
}

TEST(Endpoint, ParsesEachForm) {
  EXPECT_EQ(text_of("127.0.0.1:143"), "127.0.0.1:143");
  EXPECT_EQ(text_of("[::1]:993"), "[::1]:993");
  EXPECT_EQ(text_of("*:24"), "*:24");
  EXPECT_EQ(text_of("/run/x"), "unix:/run/x");
  EXPECT_EQ(text_of("unix:/run/x"), "unix:/run/x");
  for (const auto bad : {"", "143", "localhost:143", "::1:143", "127.0.0.1:", "127.0.0.1:70000",
                         "[127.0.0.1]:1", "127.0.0.1:+1"})
    EXPECT_EQ(text_of(bad), "error") << bad;
}

TEST(Endpoint, TcpConnectionsKnowTheirEnds) {
  for (const auto host : {"127.0.0.1:0", "[::1]:0", "*:0"}) {
    const auto listener = listen_on(Endpoint::parse(host).value());
    if (!listener) continue;  // no IPv6 here
    const Address bound = local_address(listener->get()).value();
    Endpoint to = Endpoint::parse(host).value();
    if (to.both_families) to = Endpoint::parse("127.0.0.1:0").value();
    to.port = bound.port;
    const Fd client = connect_to(to, milliseconds(1000)).value();
    const Fd server(::accept(listener->get(), nullptr, nullptr));
    const Address peer = peer_address(server.get()).value();
    EXPECT_EQ(peer.host, to.host) << "IPv4 in IPv6 is shown as IPv4";
    EXPECT_EQ(peer.port, local_address(client.get())->port);
    EXPECT_TRUE(peer.loopback);
  }
}

class UnixEndpoint : public testing::Test {
 protected:
  ~UnixEndpoint() override { ::unlink(at_.host.c_str()); }
  Endpoint at_ = Endpoint::parse(testing::TempDir() + "socket-" + random_hex(6)).value();
};

TEST_F(UnixEndpoint, ListensWithModeAndKnowsItsPeer) {
  const Fd listener = listen_on(at_, {.mode = 0600, .group = {}}).value();
  struct stat st {};
  ASSERT_EQ(::stat(at_.host.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0600U);
  const Fd client = connect_to(at_, milliseconds(1000)).value();
  const Fd server(::accept(listener.get(), nullptr, nullptr));
  EXPECT_EQ(peer_uid(server.get()).value(), ::geteuid());
  EXPECT_EQ(peer_address(server.get())->host, "");
  EXPECT_TRUE(peer_address(server.get())->loopback);
}

TEST_F(UnixEndpoint, LivePathIsLeftAloneAndStaleOneReplaced) {
  {
    const Fd listener = listen_on(at_).value();
    EXPECT_EQ(listen_on(at_).error().code, Errc::in_use);
    EXPECT_TRUE(connect_to(at_, milliseconds(1000)));
  }
  EXPECT_EQ(connect_to(at_, milliseconds(1000)).error().code, Errc::unavailable);
  EXPECT_TRUE(listen_on(at_));
}

TEST_F(UnixEndpoint, FileInTheWayIsNotRemoved) {
  ASSERT_TRUE(replace_file(at_.host, "precious"));
  EXPECT_EQ(listen_on(at_).error().code, Errc::in_use);
  EXPECT_EQ(read_file(at_.host).value(), "precious");
}

TEST(InNetwork, ComparesPrefixes) {
  EXPECT_TRUE(in_network("192.0.2.77", "192.0.2.0/24").value());
  EXPECT_FALSE(in_network("192.0.3.77", "192.0.2.0/24").value());
  EXPECT_TRUE(in_network("192.0.3.77", "192.0.2.0/23").value());
  EXPECT_TRUE(in_network("192.0.2.1", "192.0.2.1").value());
  EXPECT_TRUE(in_network("10.1.2.3", "0.0.0.0/0").value());
  EXPECT_FALSE(in_network("2001:db8::1", "0.0.0.0/0").value());
  EXPECT_TRUE(in_network("2001:db8:1::1", "2001:db8::/32").value());
  EXPECT_FALSE(in_network("2001:db9::1", "2001:db8::/32").value());
  EXPECT_TRUE(in_network("", "unix").value());
  EXPECT_FALSE(in_network("", "127.0.0.0/8").value());
  for (const auto bad : {"192.0.2.0/33", "x/8", "192.0.2.0/", "::/129", ""})
    EXPECT_FALSE(in_network("192.0.2.1", bad)) << bad;
}

}  // namespace
}  // namespace postern::net
