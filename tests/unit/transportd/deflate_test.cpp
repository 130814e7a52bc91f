// The two directions of COMPRESS against zlib as a peer uses it.
#include "master/transportd/deflate.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

namespace postern::transportd {
namespace {

/// A peer that inflates, with one state for the whole connection.
class Peer {
 public:
  Peer() {
    inflateInit2(&in_, -15);
    deflateInit2(&out_, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY);
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() {
    inflateEnd(&in_);
    deflateEnd(&out_);
  }
  std::string expand(std::string_view blocks) {
    std::string text(1 << 20, '\0');
    return run(in_, blocks, text, [](z_stream* s) { return inflate(s, Z_SYNC_FLUSH); });
  }
  std::string compress(std::string_view text, int flush = Z_SYNC_FLUSH) {
    std::string blocks(1 << 20, '\0');
    return run(out_, text, blocks, [flush](z_stream* s) { return deflate(s, flush); });
  }

 private:
  template <typename F>
  static std::string run(z_stream& stream, std::string_view in, std::string& out, F step) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream.avail_in = static_cast<uInt>(in.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_GE(step(&stream), 0);
    EXPECT_EQ(stream.avail_in, 0U);
    out.resize(out.size() - stream.avail_out);
    return out;
  }
  z_stream in_{}, out_{};
};

std::string mail_like(std::mt19937& random, std::size_t size) {
  static constexpr std::array kWords{"FETCH", "FLAGS", "\\Seen", "UID", "BODYSTRUCTURE", "anna"};
  std::string out;
  while (out.size() < size) {
    out += kWords[random() % kWords.size()];
    out += random() % 4 == 0 ? std::to_string(random()) : " ";
  }
  return out;
}

std::string expand_all(Inflater& in, std::string_view blocks, std::size_t room) {
  std::string out;
  std::string piece(room, '\0');
  std::size_t got = 0;
  do {
    got = in.take(blocks, piece).value();
    out.append(piece, 0, got);
  } while (got == room || !blocks.empty());
  return out;
}

TEST(Deflater, APeerReadsEverythingWhetherTheStateRestedOrNot) {
  std::mt19937 random(4978);
  Peer peer;
  Deflater out;
  for (int i = 0; i < 200; ++i) {
    const std::string text = mail_like(random, random() % 20000);
    if (text.empty()) continue;
    ASSERT_EQ(peer.expand(out.put(text).value()), text);
    if (random() % 2 == 0) out.rest();
  }
}

TEST(Deflater, WhatRestedStillKnowsTheLastKibibyte) {
  const std::string line = "* 1 FETCH (FLAGS (\\Seen) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\")";
  Deflater out;
  const auto first = out.put(line).value().size();
  out.rest();
  EXPECT_TRUE(out.resting());
  EXPECT_LT(out.put(line).value().size(), first / 3);
}

TEST(Inflater, ReadsAPeerWithTheLargestWindowWhetherTheStateRestedOrNot) {
  std::mt19937 random(1951);
  Peer peer;
  Inflater in;
  int rested = 0;
  for (int i = 0; i < 200; ++i) {
    const std::string text = mail_like(random, 1 + random() % 50000);
    ASSERT_EQ(expand_all(in, peer.compress(text), 1 + random() % 5000), text);
    in.rest();
    rested += in.resting() ? 1 : 0;
  }
  EXPECT_EQ(rested, 200);  // a sync flush ends at an octet, behind a block
}

TEST(Inflater, KeepsItsStateInTheMiddleOfABlock) {
  Peer peer;
  const std::string blocks = peer.compress("a1 SELECT INBOX\r\na2 FETCH 1 FLAGS\r\n");
  Inflater in;
  std::string out;
  for (const char octet : blocks) {
    out += expand_all(in, {&octet, 1}, 100);
    in.rest();
  }
  EXPECT_EQ(out, "a1 SELECT INBOX\r\na2 FETCH 1 FLAGS\r\n");
}

TEST(Inflater, ABombComesInPiecesOfTheAskedSize) {
  Peer peer;
  std::string blocks = peer.compress(std::string(900'000, 'x'));
  Inflater in;
  std::array<char, 1000> room{};
  std::string_view rest = blocks;
  std::size_t total = 0;
  for (std::size_t got = room.size(); got == room.size();) {
    got = in.take(rest, room).value();
    total += got;
  }
  EXPECT_EQ(total, 900'000U);
}

TEST(Inflater, RefusesWhatIsNoDeflate) {
  Inflater in;
  std::array<char, 100> room{};
  std::string_view plain = "n NOOP\r\n and some more to look at";
  EXPECT_FALSE(in.take(plain, room));
}

TEST(Inflater, KnowsTheEndOfTheStreamAndTakesNothingBehindIt) {
  Peer peer;
  const std::string blocks = peer.compress("bye", Z_FINISH) + "more";
  Inflater in;
  std::array<char, 100> room{};
  std::string_view rest = blocks;
  EXPECT_EQ(in.take(rest, room).value(), 3U);
  EXPECT_TRUE(in.at_end());
  EXPECT_FALSE(in.take(rest, room));
}

}  // namespace
}  // namespace postern::transportd
