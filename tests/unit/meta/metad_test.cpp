// metad seen from its socket: kills, repetition, bad peers.
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/meta/client.h"
#include "lib/meta/embedded.h"
#include "tests/unit/meta/fixture.h"
#include "tests/unit/meta/metad_process.h"

namespace postern::meta {
namespace {

/// A peer that speaks frames by hand.
class RawPeer {
 public:
  explicit RawPeer(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  template <typename... Args>
  void ask(wire::Op op, std::uint8_t flags, std::uint64_t sequence, const Args&... args) {
    WireWriter out;
    wire::put(out, wire::RequestHead{op, flags, sequence});
    (wire::put(out, args), ...);
    send(wire::frame(out.bytes()));
  }
  void send(std::string_view bytes) { EXPECT_TRUE(write_all(socket_.get(), bytes)); }
  /// The payload of the next frame; empty when metad has closed.
  std::string answer() {
    for (;;) {
      const auto frame = wire::take_frame(input_).value();
      if (frame) {
        std::string payload(frame->payload);
        input_.erase(0, frame->size);
        return payload;
      }
      char buffer[4096];
      const ssize_t got = ::read(socket_.get(), buffer, sizeof buffer);
      if (got <= 0) return {};
      input_.append(buffer, static_cast<std::size_t>(got));
    }
  }
  std::string hello(const std::string& instance, std::uint32_t version = wire::kVersion) {
    ask(wire::Op::hello, 0, 1, version, version, instance);
    return answer();
  }

 private:
  Fd socket_;
  std::string input_;
};

Errc error_in(std::string_view payload) {
  WireReader in(payload);
  EXPECT_TRUE(wire::take_sequence(in));
  const auto status = wire::take_status(in);
  EXPECT_FALSE(status);
  return status ? Errc::io : status.error().code;
}

class MetadTest : public MetaTest {
 protected:
  void SetUp() override {
    MetaTest::SetUp();
    metad_ = std::make_unique<MetadProcess>(home_);
    metad_->start();
    meta_ = metad_->client();
  }
  void TearDown() override {
    meta_.reset();
    metad_.reset();
    MetaTest::TearDown();
  }
  Meta& meta() override { return *meta_; }

  std::unique_ptr<MetadProcess> metad_;
  std::unique_ptr<Client> meta_;
  const std::string instance_ = std::string(wire::kInstanceSize, 'i');
};

NewMailbox fresh(std::string_view name) { return {.name = box(name), .id = random_mailbox_id()}; }

TEST_F(MetadTest, ARepeatedMutationGivesTheFirstAnswerAlsoAfterAKill) {
  const NewMailbox wanted = fresh("news");
  RawPeer first(metad_->socket());
  first.hello(instance_);
  first.ask(wire::Op::create, 0, 7, wanted);
  const std::string answer = first.answer();
  EXPECT_NE(metad_->end(SIGKILL), 0);
  metad_->start();
  RawPeer second(metad_->socket());
  second.hello(instance_);
  second.ask(wire::Op::create, wire::kRepeated, 7, wanted);
  EXPECT_EQ(second.answer(), answer);
  second.ask(wire::Op::create, 0, 8, wanted);
  EXPECT_EQ(error_in(second.answer()), Errc::mailbox_exists);
}

TEST_F(MetadTest, AnotherProtocolIsRefusedClearly) {
  RawPeer peer(metad_->socket());
  EXPECT_EQ(error_in(peer.hello(instance_, 99)), Errc::not_supported);
  EXPECT_EQ(peer.answer(), "");
  RawPeer rude(metad_->socket());
  rude.ask(wire::Op::users, 0, 1);
  EXPECT_EQ(error_in(rude.answer()), Errc::bad_syntax);
  RawPeer odd(metad_->socket());
  odd.hello(instance_);
  odd.ask(static_cast<wire::Op>(250), 0, 2);
  EXPECT_EQ(error_in(odd.answer()), Errc::not_supported);
}

TEST_F(MetadTest, AFrameThatLiesEndsItsConnectionOnly) {
  create("news");
  RawPeer peer(metad_->socket());
  peer.hello(instance_);
  std::string frame = wire::frame("anything");
  frame.back() ^= 1;
  peer.send(frame);
  EXPECT_EQ(peer.answer(), "");
  RawPeer huge(metad_->socket());
  huge.send("\xFF\xFF\xFF\xFF    ");
  EXPECT_EQ(huge.answer(), "");
  EXPECT_TRUE(meta().lookup(box("news")));
}

TEST_F(MetadTest, ReservationsLapseWithTheirConnection) {
  const auto inbox = create("user/anna");
  ASSERT_TRUE(meta().set_quota(inbox.name, {storage(1000)}));
  auto other = metad_->client();
  ASSERT_TRUE(other->reserve(inbox.id, 900, 1));
  EXPECT_EQ(code(meta().reserve(inbox.id, 900, 1)), Errc::over_quota);
  other.reset();
  Result<Reservation> again = fail(Errc::io, "not tried");
  // metad learns of the end of a connection by an event of its own.
  for (int i = 0; i < 1000 && !again; ++i) again = meta().reserve(inbox.id, 900, 1);
  EXPECT_TRUE(again);
}

TEST_F(MetadTest, NobodyAnsweringIsUnavailableInTime) {
  metad_->end(SIGKILL);
  Client hasty(home_ + "/nothing.sock", std::chrono::milliseconds(200));
  const auto began = steady_millis();
  EXPECT_EQ(code(hasty.lookup(box("news"))), Errc::unavailable);
  EXPECT_LT(steady_millis() - began, 2000);
  metad_->start();
}

TEST_F(MetadTest, ASecondOneLeavesTheHomeAlone) {
  create("news");
  const auto second = EmbeddedMeta::open(home_ + "/home", "tool");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::in_use);
  EXPECT_NE(second.error().text.find("metad"), std::string::npos);
}

/// Creates mailboxes until told to stop and remembers what was acknowledged.
struct Writer {
  std::vector<NewMailbox> acknowledged;
  std::int64_t longest_pause = 0;
  std::string problem;

  void run(const MetadProcess& metad, int number, const std::atomic<bool>& stop) {
    const auto client = metad.client();
    for (int i = 0; !stop && problem.empty(); ++i) {
      const NewMailbox wanted = fresh(fmt::format("w{}/{}", number, i));
      const std::int64_t began = steady_millis();
      const auto made = client->create(wanted);
      longest_pause = std::max(longest_pause, steady_millis() - began);
      if (made && made->id == wanted.id) {
        acknowledged.push_back(wanted);
      } else {
        problem = made ? "another id" : made.error().text;
      }
    }
  }
};

TEST_F(MetadTest, KillsUnderLoadLoseNothingThatWasAcknowledged) {
  constexpr int kKills = 20;
  std::atomic<bool> stop = false;
  std::vector<Writer> writers(4);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] { writers[static_cast<std::size_t>(i)].run(*metad_, i, stop); });
  std::minstd_rand random(1);
  for (int kill = 0; kill < kKills; ++kill) {
    // A running metad is what is killed: one answer, then a random time.
    ASSERT_TRUE(meta().list_counter(who("anna").user));
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 60));
    metad_->end(SIGKILL);
    metad_->start();
  }
  ASSERT_TRUE(meta().list_counter(who("anna").user));
  stop = true;
  for (auto& thread : threads) thread.join();
  std::size_t count = 0;
  std::int64_t pause = 0;
  for (const auto& writer : writers) {
    EXPECT_EQ(writer.problem, "");
    for (const auto& wanted : writer.acknowledged) {
      const auto found = meta().lookup(wanted.name);
      ASSERT_TRUE(found) << wanted.name.text();
      EXPECT_EQ(found->id, wanted.id);
    }
    count += writer.acknowledged.size();
    pause = std::max(pause, writer.longest_pause);
  }
  EXPECT_GT(count, 0U);  // how many depends on how busy the machine is
  EXPECT_LT(pause, 5000);
  std::printf("%zu mailboxes acknowledged over %d kills, longest pause %ld ms\n", count, kKills,
              static_cast<long>(pause));
}

}  // namespace
}  // namespace postern::meta
