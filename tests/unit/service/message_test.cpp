#include "lib/service/message.h"

#include <gtest/gtest.h>

#include "lib/base/wire.h"

namespace postern::service {
namespace {

Facts some_facts() {
  Facts facts;
  facts.session_id = 4711;
  facts.service = "imaps";
  facts.peer_address = "2001:db8::1";
  facts.peer_port = 40000;
  facts.local_address = "192.0.2.1";
  facts.local_port = 993;
  facts.tls = true;
  facts.tls_version = "TLSv1.3";
  facts.cipher = "TLS_AES_128_GCM_SHA256";
  facts.sni = "mail.example.org";
  facts.alpn = "imap";
  facts.client_certificate = "anna";
  facts.channel_binding = std::string("\0\x01\xff", 3);
  facts.accepted_at = 1'700'000'000;
  return facts;
}

void expect_equal(const Facts& a, const Facts& b) {
  EXPECT_EQ(encode_facts(a), encode_facts(b));
  EXPECT_EQ(a.channel_binding, b.channel_binding);
  EXPECT_EQ(a.peer_port, b.peer_port);
  EXPECT_EQ(a.tls, b.tls);
  EXPECT_EQ(a.loopback, b.loopback);
}

TEST(Message, WakeKeepsEveryField) {
  Wake wake;
  wake.ticket = {7, 3, 4711};
  wake.facts = some_facts();
  wake.state = std::string("state\0\r\n", 8);
  wake.unread = "a2 FETCH";
  wake.changed = true;
  const auto back = decode_wake(encode(wake));
  ASSERT_TRUE(back) << back.error().text;
  EXPECT_EQ(back->ticket, wake.ticket);
  expect_equal(back->facts, wake.facts);
  EXPECT_EQ(back->state, wake.state);
  EXPECT_EQ(back->unread, wake.unread);
  EXPECT_TRUE(back->changed);
  EXPECT_FALSE(back->shutting_down);
}

TEST(Message, CompressRequestKeepsEveryField) {
  CompressRequest request{some_facts(), "a1 OK DEFLATE active\r\n", std::string("\x4a\0\x07", 3)};
  request.facts.compressed = true;
  const auto back = decode_compress_request(encode(request));
  ASSERT_TRUE(back) << back.error().text;
  expect_equal(back->facts, request.facts);
  EXPECT_TRUE(back->facts.compressed);
  EXPECT_EQ(back->ok_line, request.ok_line);
  EXPECT_EQ(back->unread, request.unread);
}

TEST(Message, ParkKeepsEveryField) {
  Park park;
  park.ticket = {1, 2, 3};
  park.leaving = true;
  Parked& p = park.parked;
  p.state = std::string(60000, 's');
  p.unread = "half a li";
  p.watches = {{5, 9}, {0, 0}, {1U << 19, ~std::uint64_t{0}}};
  p.user = "anna@example.org";
  p.mailbox = "INBOX";
  p.activity = "IDLE";
  p.autologout = std::chrono::minutes(30);
  p.goodbye = "* BYE Autologout\r\n";
  p.keepalive = std::chrono::minutes(2);
  p.keepalive_text = "* OK Still here\r\n";
  p.not_before = std::chrono::milliseconds(1500);
  p.delayed_reply = "a1 NO\r\n";
  p.goes_on = true;
  const auto back = decode_park(encode(park));
  ASSERT_TRUE(back) << back.error().text;
  EXPECT_EQ(encode(*back), encode(park));
  ASSERT_EQ(back->parked.watches.size(), 3U);
  EXPECT_EQ(back->parked.watches[2].slot, 1U << 19);
  EXPECT_EQ(back->parked.watches[2].seen, ~std::uint64_t{0});
  EXPECT_EQ(back->parked.not_before, p.not_before);
  EXPECT_TRUE(back->parked.goes_on);
  EXPECT_EQ(back->parked.state, p.state);
}

TEST(Message, GreetingsKeepTheirPlaces) {
  Greetings all;
  all.pool = 2;
  all.generation = 5;
  all.greeting = {"plain", "", "loopback", "tls and loopback"};
  all.goodbye = {"down", "error", "", "many", "kicked"};
  const auto back = decode_greetings(encode(all));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->greeting, all.greeting);
  EXPECT_EQ(back->goodbye, all.goodbye);
  EXPECT_EQ(back->generation, 5U);
}

TEST(Message, UnknownFieldsAreSkippedUnlessCritical) {
  TlvWriter fields;
  fields.number(1, std::uint32_t{9});
  fields.bytes(0x7000, "of a later version");
  std::string text(1, static_cast<char>(Kind::end));
  text += std::move(fields).take();
  ASSERT_TRUE(decode_end(text));
  EXPECT_EQ(decode_end(text)->ticket.slot, 9U);
  TlvWriter critical;
  critical.bytes(0x7000 | kCriticalTag, "must be understood");
  text += std::move(critical).take();
  ASSERT_FALSE(decode_end(text));
  EXPECT_EQ(decode_end(text).error().code, Errc::not_supported);
}

TEST(Message, EveryCutOfAMessageIsRefusedOrShorter) {
  Wake wake;
  wake.ticket = {1, 1, 1};
  wake.facts = some_facts();
  wake.state = "state";
  const std::string whole = encode(wake);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto part = decode_wake(std::string_view(whole).substr(0, size));
    if (part) {
      EXPECT_LT(encode(*part).size(), whole.size());
    }
  }
}

TEST(Message, AMessageIsNotTakenForOneOfAnotherKind) {
  EXPECT_FALSE(decode_park(encode(End{})));
  EXPECT_FALSE(decode_end(encode_retire()));
  EXPECT_EQ(kind_of(""), Kind::none);
  EXPECT_EQ(kind_of("\xff"), Kind::none);
  EXPECT_EQ(kind_of(encode_retire()), Kind::retire);
}

}  // namespace
}  // namespace postern::service
