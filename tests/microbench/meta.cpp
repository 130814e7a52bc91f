// bench_meta SOCKET: requests a second of a running metad, by kind and number of clients. Makes the
// tree user/bench with 5,000 mailboxes and leaves it there.
#include <atomic>
#include <cstdio>
#include <functional>
#include <thread>
#include <vector>

#include "lib/base/clock.h"
#include "lib/meta/client.h"

namespace {

using namespace postern;
using namespace postern::meta;

constexpr std::int64_t kMillis = 1500;
constexpr int kMailboxes = 5000;

MailboxName box(const std::string& name) { return MailboxName::from_utf8(name).value(); }

Identity bench_user() { return {.user = UserName::from_utf8("bench").value()}; }

void make_tree(const std::string& socket) {
  Client client(socket, std::chrono::seconds(10));
  for (int i = 0; i < kMailboxes; ++i) {
    const auto name = box(fmt::format("user/bench/{:04}", i));
    static_cast<void>(
        client.create({.name = name, .id = random_mailbox_id(), .acl = Acl::standard_for(name)}));
  }
  static_cast<void>(client.set_quota(box("user/bench"), {{Resource::storage, 0, 1ULL << 40}}));
}

using Work = std::function<bool(Client&, int client, int round)>;

void measure(const std::string& socket, const char* what, int clients, const Work& work) {
  std::atomic<std::int64_t> done = 0;
  std::atomic<bool> failed = false;
  const std::int64_t end = steady_millis() + kMillis;
  std::vector<std::thread> threads;
  for (int c = 0; c < clients; ++c) {
    threads.emplace_back([&, c] {
      Client client(socket, std::chrono::seconds(10));
      int round = 0;
      while (steady_millis() < end && !failed)
        if (!work(client, c, round++)) failed = true;
      done += round;
    });
  }
  for (auto& thread : threads) thread.join();
  std::printf("%-28s %3d clients %9.0f /s%s\n", what, clients,
              static_cast<double>(done) * 1000 / static_cast<double>(kMillis),
              failed ? "  FAILED" : "");
}

void measure_all(const std::string& socket, int clients) {
  const auto id = Client(socket, std::chrono::seconds(10)).lookup(box("user/bench/0001"))->id;
  measure(socket, "lookup", clients, [](Client& client, int, int round) {
    return client.lookup(box(fmt::format("user/bench/{:04}", round % kMailboxes))).has_value();
  });
  measure(socket, "reserve + report", clients, [&](Client& client, int c, int round) {
    const auto reserved = client.reserve(id, 20000, 1);
    const auto modseq = ModSeq(static_cast<std::uint64_t>(round) * 64 + static_cast<unsigned>(c));
    return reserved && client.report({.mailbox = id, .modseq = modseq}, *reserved);
  });
  measure(socket, "look for mark, set mark", clients, [](Client& client, int c, int round) {
    const Mark mark{MarkKind::delivery, "bench", fmt::format("{}-{}", c, round)};
    return client.find_mark(mark) && client.set_mark(mark, "", std::chrono::minutes(1));
  });
  measure(socket, "subscribe (durable)", clients, [](Client& client, int c, int round) {
    return client.subscribe(bench_user().user, fmt::format("{}/{}", c, round % 100)).has_value();
  });
  measure(socket, "LIST of 5,000", clients, [](Client& client, int, int) {
    const auto listed = client.list({.who = bench_user(), .roots = {}});
    return listed && listed->size() >= kMailboxes;
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: bench_meta SOCKET\n");
    return 64;
  }
  make_tree(argv[1]);
  for (const int clients : {1, 4, 16, 64}) measure_all(argv[1], clients);
}
