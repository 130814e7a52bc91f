// Several processes at one mailbox, killed at random: what they acknowledged is there once, readers
// never see a torn row, uids and modseqs never come twice.
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <barrier>
#include <random>
#include <set>
#include <thread>

#include "lib/store/files.h"
#include "lib/store/fs.h"
#include "tests/unit/store/fixture.h"

namespace postern::store::testing {
namespace {

struct Ack {
  int number = 0;
  std::uint32_t uid = 0, other_uid = 0;
  char what = 0;  // d delivered, x expunged, m moved away
};

[[noreturn]] void work(const config::Config& config, MemoryMeta& meta, ChangeBoard& board,
                       const meta::MailboxEntry& inbox, const meta::MailboxEntry& other, int pipe,
                       int seed) {
  std::mt19937 random(static_cast<unsigned>(seed));
  auto store = std::move(Store::open(config, meta, board).value());
  const auto say = [&](Ack ack) { (void)!::write(pipe, &ack, sizeof ack); };
  for (int i = 0;; ++i) {
    const int number = seed * 10'000 + i;
    const unsigned what = static_cast<unsigned>(random() % 10);
    auto mailbox = store->open_mailbox(inbox);
    if (!mailbox) ::_exit(3);
    View view = (*mailbox)->snapshot();
    if (what < 5 || view.exists() < 3) {
      Staged staged = store->stage();
      (void)staged.add(mail(number));
      const DeliveryTarget target{inbox, {0, {fmt::format("k{}", number % 80)}}};
      auto results = store->deliver(staged, number, std::span(&target, 1));
      if (!results[0]) ::_exit(4);
      say({number, results[0]->uid.value(), 0, 'd'});
      continue;
    }
    std::vector<RecNo> some;
    for (auto r = view.next_from(RecNo(0)); r; r = view.next_from(r->next()))
      if (random() % 4 == 0) some.push_back(*r);
    if (what < 8) {
      const FlagOp op = random() % 2 == 0 ? FlagOp::add : FlagOp::remove;
      if (!(*mailbox)->store_flags(some, {op, {flag::seen | flag::flagged, {"x"}}, {}})) ::_exit(5);
    } else if (some.size() > 2) {
      some.resize(2);
      if (what == 8) {
        const auto gone = (*mailbox)->expunge(some, false);
        if (!gone) ::_exit(6);
        for (const Uid uid : gone->uids) say({0, uid.value(), 0, 'x'});
      } else {
        const auto moved = store->move(**mailbox, some, other);
        if (!moved) ::_exit(7);
        for (std::size_t k = 0; k < moved->source.size(); ++k)
          say({0, moved->source[k].value(), moved->destination[k].value(), 'm'});
      }
    }
  }
}

int number_in(std::string_view bytes) {
  return std::atoi(std::string(bytes.substr(bytes.find("<m") + 2)).c_str());
}

TEST_F(StoreTest, KilledProcessesLoseNothingAndTearNothing) {
  constexpr int kWriters = 4, kKills = 40;
  const auto inbox = make("user/anna"), other = make("user/anna/Other");
  put(inbox, mail(1));
  store.reset();
  int pipes[2];
  ASSERT_EQ(::pipe(pipes), 0);
  std::vector<pid_t> writers(kWriters, 0);
  std::mt19937 random(4711);
  std::map<std::uint32_t, int> delivered{{1, 1}};  // by uid
  std::set<std::uint32_t> gone;
  std::map<std::uint32_t, std::uint32_t> moved;
  const auto take_acks = [&](int wait_ms) {
    for (pollfd ready{pipes[0], POLLIN, 0}; ::poll(&ready, 1, wait_ms) == 1; wait_ms = 0) {
      Ack ack;
      if (::read(pipes[0], &ack, sizeof ack) != sizeof ack) break;
      if (ack.what == 'd') {
        EXPECT_TRUE(delivered.emplace(ack.uid, ack.number).second) << "uid twice: " << ack.uid;
      } else {
        gone.insert(ack.uid);
        if (ack.what == 'm') moved[ack.uid] = ack.other_uid;
      }
    }
  };
  store = std::move(Store::open(config, meta, board).value());
  auto mailbox = store->open_mailbox(inbox).value();
  View view = mailbox->snapshot();
  ModSeq highest;
  for (int kill = 0; kill < kKills; ++kill) {
    for (int w = 0; w < kWriters; ++w) {
      pid_t& pid = writers[static_cast<std::size_t>(w)];
      if (pid != 0) continue;
      pid = ::fork();
      if (pid == 0) work(config, meta, board, inbox, other, pipes[1], kill * kWriters + w + 1);
    }
    take_acks(1 + static_cast<int>(random() % 30));
    for (int look = 0; look < 2; ++look) {
      const auto changes = mailbox->advance(view, look % 2 == 0);
      ASSERT_TRUE(changes.has_value()) << changes.error().text;
      EXPECT_GE(changes->highestmodseq, highest);
      highest = changes->highestmodseq;
      for (auto r = view.next_from(RecNo(0)); r; r = view.next_from(r->next())) {
        const auto record = mailbox->record(*r);
        ASSERT_TRUE(record.has_value()) << record.error().text;
        ASSERT_LE(mailbox->modseq(*r), highest);
      }
      const auto again = mailbox->view_at(view.mark());
      ASSERT_TRUE(again.has_value()) << again.error().text;
    }
    pid_t& victim = writers[random() % kWriters];
    ::kill(victim, SIGKILL);
    int status = 0;
    ::waitpid(victim, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "exit " << WEXITSTATUS(status);
    victim = 0;
  }
  for (const pid_t pid : writers)
    if (pid != 0) ::kill(pid, SIGKILL), ::waitpid(pid, nullptr, 0);
  ::close(pipes[1]);
  take_acks(100);
  mailbox.reset();
  reopen();
  EXPECT_GT(delivered.size(), 50U);
  std::map<int, int> times;
  std::map<std::uint32_t, int> here, there;
  for (const auto& [entry, found] : {std::pair(&inbox, &here), std::pair(&other, &there)}) {
    mailbox = store->open_mailbox(*entry).value();
    view = mailbox->snapshot();
    for (auto r = view.next_from(RecNo(0)); r; r = view.next_from(r->next())) {
      const int number = number_in(mailbox->message(*r).value().bytes());
      (*found)[mailbox->uid(*r).value()] = number;
      EXPECT_EQ(++times[number], 1) << "message " << number << " twice";
    }
    const auto findings = check(*store, *entry, {.full = true});
    for (const Finding& finding : findings.value())
      EXPECT_EQ(finding.kind, Finding::Kind::cache) << name_of(finding.kind) << finding.what;
  }
  for (const auto& [uid, number] : delivered) {
    if (here.contains(uid)) {
      EXPECT_EQ(here[uid], number);
      EXPECT_FALSE(gone.contains(uid)) << "uid " << uid << " is back";
    } else if (moved.contains(uid)) {
      EXPECT_EQ(there[moved[uid]], number);
    }
  }
  ::close(pipes[0]);
}

/// Whoever syncs a log waits until all that still work do so.
class TogetherFs final : public Fs {
 public:
  explicit TogetherFs(std::ptrdiff_t workers) : all_(workers) {}
  Result<void> sync_data(int fd) override {
    all_.arrive_and_wait();
    return Fs::sync_data(fd);
  }
  void done() { all_.arrive_and_drop(); }

 private:
  std::barrier<> all_;
};

// Each wrote a lease of its own, and none was the last one's when its sync came back: 451 for all.
TEST_F(StoreTest, ProcessesThatNeedALeaseAtOnceAllGetIt) {
  constexpr int kWorkers = 4;
  constexpr std::uint32_t kMoreThanTheLease = 5'000;
  const auto inbox = make("user/anna");
  put(inbox, mail(1));
  const std::string where = store->directory_of(inbox.id, inbox.partition).value();
  store.reset();
  TogetherFs together(kWorkers);
  replace_fs(&together);
  std::array<std::string, kWorkers> problems;
  std::vector<std::thread> workers;
  for (std::string& problem : problems)
    workers.emplace_back([&] {
      Shared shared;
      shared.board = &board;
      shared.boot = fs().boot_id();
      MailboxFiles files(shared, where, inbox.id, inbox.partition, inbox.uidvalidity);
      if (const auto change = Change::begin(files, "reserve", kMoreThanTheLease); !change)
        problem = change.error().text;
      together.done();
    });
  for (std::thread& worker : workers) worker.join();
  replace_fs(nullptr);
  for (const std::string& problem : problems) EXPECT_EQ(problem, "");
}

}  // namespace
}  // namespace postern::store::testing
