#include "lib/net/proxy_protocol.h"

#include <gtest/gtest.h>

#include "lib/base/crc32c.h"

namespace postern::net {
namespace {

using State = ProxyHeader::State;

const std::string kSignature("\r\n\r\n\0\r\nQUIT\n", 12);

std::string big16(std::size_t n) {
  return {static_cast<char>(n >> 8 & 255), static_cast<char>(n & 255)};
}

std::string version2(char command, char family, const std::string& body) {
  return kSignature + command + family + big16(body.size()) + body;
}

std::string tlv(char type, const std::string& value) { return type + big16(value.size()) + value; }

const std::string kIpv4Body =
    std::string("\xC0\x00\x02\x01\xC0\x00\x02\x02", 8) + big16(4000) + big16(143);

TEST(ProxyProtocol, Version1Tcp4) {
  const std::string line = "PROXY TCP4 192.0.2.1 192.0.2.2 4000 143\r\n";
  const auto header = parse_proxy_header(line + "a LOGIN");
  ASSERT_TRUE(header);
  EXPECT_EQ(header->state, State::proxied);
  EXPECT_EQ(header->size, line.size());
  EXPECT_EQ(header->source_address, "192.0.2.1");
  EXPECT_EQ(header->source_port, 4000);
  EXPECT_EQ(header->destination_address, "192.0.2.2");
  EXPECT_EQ(header->destination_port, 143);
}

TEST(ProxyProtocol, Version1Tcp6AndUnknown) {
  EXPECT_EQ(parse_proxy_header("PROXY TCP6 2001:db8::1 ::1 1 2\r\n")->source_address,
            "2001:db8::1");
  EXPECT_EQ(parse_proxy_header("PROXY UNKNOWN\r\n")->state, State::local);
  EXPECT_EQ(parse_proxy_header("PROXY UNKNOWN ffff:: x y\r\n")->state, State::local);
}

TEST(ProxyProtocol, EachPrefixOfAHeaderIsIncomplete) {
  for (const std::string& whole : {std::string("PROXY TCP4 192.0.2.1 192.0.2.2 4000 143\r\n"),
                                   version2('\x21', '\x11', kIpv4Body)}) {
    for (std::size_t n = 0; n < whole.size(); ++n) {
      const auto header = parse_proxy_header(std::string_view(whole).substr(0, n));
      ASSERT_TRUE(header) << n;
      ASSERT_EQ(header->state, State::incomplete) << n;
    }
    EXPECT_EQ(parse_proxy_header(whole)->state, State::proxied);
  }
}

TEST(ProxyProtocol, BrokenLinesAreRefused) {
  for (const std::string line :
       {"GET / HTTP/1.1\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 4000\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 4000 65536\r\n", "PROXY TCP4 ::1 ::1 1 2\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n", "PROXY TCP5 a b 1 2\r\n",
        "PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n", "proxy tcp4"})
    EXPECT_FALSE(parse_proxy_header(line)) << line;
  EXPECT_FALSE(parse_proxy_header("PROXY TCP4 " + std::string(120, '1')));
}

TEST(ProxyProtocol, Version2AddressesAndExtras) {
  const std::string tls = '\x01' + std::string(4, '\0') + tlv('\x21', "TLSv1.3") +
                          tlv('\x23', "TLS_AES_128_GCM_SHA256");
  const std::string body = kIpv4Body + tlv('\x01', "imap") + tlv('\x02', "mail.example.org") +
                           tlv('\x20', tls) + tlv('\x04', "padding");
  const std::string whole = version2('\x21', '\x11', body);
  const auto header = parse_proxy_header(whole + "rest");
  ASSERT_TRUE(header) << header.error().text;
  EXPECT_EQ(header->size, whole.size());
  EXPECT_EQ(header->source_address, "192.0.2.1");
  EXPECT_EQ(header->source_port, 4000);
  EXPECT_EQ(header->destination_port, 143);
  EXPECT_EQ(header->alpn, "imap");
  EXPECT_EQ(header->authority, "mail.example.org");
  EXPECT_TRUE(header->tls);
  EXPECT_EQ(header->tls_version, "TLSv1.3");
  EXPECT_EQ(header->cipher, "TLS_AES_128_GCM_SHA256");
}

TEST(ProxyProtocol, Version2LocalAndUnnamedFamiliesKeepTheSocketsAddresses) {
  EXPECT_EQ(parse_proxy_header(version2('\x20', '\0', ""))->state, State::local);
  EXPECT_EQ(parse_proxy_header(version2('\x21', '\0', ""))->state, State::local);
  EXPECT_EQ(parse_proxy_header(version2('\x21', '\x12', kIpv4Body))->state, State::local);
}

TEST(ProxyProtocol, Version2UnixPath) {
  std::string body(216, '\0');
  body.replace(0, 5, "/from");
  body.replace(108, 3, "/to");
  const auto header = parse_proxy_header(version2('\x21', '\x31', body));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->source_address, "/from");
  EXPECT_EQ(header->destination_address, "/to");
}

TEST(ProxyProtocol, Version2ChecksumIsChecked) {
  std::string whole = version2('\x21', '\x11', kIpv4Body + tlv('\x03', std::string(4, '\0')));
  const std::uint32_t crc = crc32c(whole);
  for (unsigned i = 0; i < 4; ++i)
    whole[whole.size() - 4 + i] = static_cast<char>(crc >> (24 - 8 * i) & 255);
  EXPECT_TRUE(parse_proxy_header(whole));
  whole[20] ^= 1;
  EXPECT_FALSE(parse_proxy_header(whole));
}

TEST(ProxyProtocol, Version2BrokenLengths) {
  EXPECT_FALSE(parse_proxy_header(version2('\x21', '\x11', "short")));
  EXPECT_FALSE(parse_proxy_header(version2('\x21', '\x11', kIpv4Body + "\x01")));
  EXPECT_FALSE(
      parse_proxy_header(version2('\x21', '\x11', kIpv4Body + std::string("\x01\x00\x09x", 4))));
  EXPECT_FALSE(parse_proxy_header(version2('\x31', '\x11', kIpv4Body)));
  EXPECT_FALSE(parse_proxy_header(version2('\x22', '\x11', kIpv4Body)));
  EXPECT_EQ(parse_proxy_header(kSignature + "\x21\x11" + big16(5000)).error().code, Errc::too_big);
}

}  // namespace
}  // namespace postern::net
