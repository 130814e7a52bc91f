// The power goes at thousands of moments: whatever disk ext4's ordering allows, the mailboxes open,
// nothing acknowledged is lost, doubled or half there, and no uid or modseq runs backwards.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <set>

#include "lib/store/check.h"
#include "tests/crash/power_cut_fs.h"
#include "tests/unit/store/fixture.h"

namespace postern::store::testing {
namespace {

/// What one mailbox holds, as the clients were told.
struct Model {
  std::map<std::uint32_t, int> live;                       // uid to message number
  std::map<std::uint32_t, std::set<std::uint32_t>> flags;  // uid to flags it may have after a cut
  std::map<std::uint32_t, std::set<std::uint32_t>> guest;  // \Seen of one who isn't the owner
  std::uint32_t uidnext = 1;                               // above every uid that was told
  std::uint64_t modseq = 1;                                // highest that was told
};
struct Moment {
  std::size_t events = 0;  // recorded when the client had its answer
  std::map<int, Model> boxes;
  enum class Kind { none, add, many, copy, move, expunge } kind = Kind::none;
  std::set<int> numbers;  // messages of the command that ended with this moment
};

void read_as_guest(Store& store, bool yes) {
  store.set_reader(yes ? meta::UserName::from_utf8("guest").value() : meta::UserName());
}

class NextBoot final : public Fs {
 public:
  std::string boot_id() override { return "another kernel.."; }
};

std::string fast_directory() {
  std::string name = "/dev/shm/postern-cut-XXXXXX";
  if (::mkdtemp(name.data()) != nullptr) return name;
  name = "/tmp/postern-cut-XXXXXX";
  EXPECT_NE(::mkdtemp(name.data()), nullptr);
  return name;
}

class Workload {
 public:
  Workload(unsigned seed, const std::string& spool)
      : random_(seed),
        fs_(spool),
        board_(ChangeBoard::private_board()),
        config_(config_for(spool)) {
    (void)config_.set("store.flush_interval=60s");
    replace_fs(&fs_);
    store_ = std::move(Store::open(config_, meta_, board_).value());
    for (int b = 0; b < 2; ++b) {
      entries_.push_back(store_->create(name(fmt::format("user/u{}", b)), meta::Acl()).value());
      now_[b];
    }
    note({}, {});
  }
  ~Workload() {
    store_.reset();
    replace_fs(nullptr);
  }
  Workload(const Workload&) = delete;
  Workload& operator=(const Workload&) = delete;

  void run(int steps) {
    for (int i = 0; i < steps; ++i) step(static_cast<int>(random_() % 14));
    fs_.look_at_maps();
  }
  const std::vector<Event>& events() const { return fs_.events(); }
  const std::vector<Moment>& moments() const { return moments_; }
  const std::vector<meta::MailboxEntry>& entries() const { return entries_; }
  const MemoryMeta& meta() const { return meta_; }

 private:
  int box() { return static_cast<int>(random_() % 2); }

  void note(Moment::Kind kind, std::set<int> numbers) {
    fs_.look_at_maps();
    moments_.push_back({fs_.events().size(), now_, kind, std::move(numbers)});
  }

  std::shared_ptr<Mailbox> open(int b) {
    return store_->open_mailbox(entries_[static_cast<std::size_t>(b)]).value();
  }

  std::vector<RecNo> some(Mailbox& mailbox) {
    const View view = mailbox.snapshot();
    std::vector<RecNo> records;
    for (auto r = view.next_from(RecNo(0)); r; r = view.next_from(r->next()))
      if (random_() % 3 == 0) records.push_back(*r);
    return records;
  }

  void told(int b, Uid uid, ModSeq modseq) {
    Model& model = now_[b];
    model.uidnext = std::max(model.uidnext, uid.value() + 1);
    model.modseq = std::max(model.modseq, modseq.value());
  }

  void add(int b, Uid uid, ModSeq modseq, int number, std::uint32_t flags) {
    now_[b].live[uid.value()] = number;
    now_[b].flags[uid.value()] = {flags};
    now_[b].guest[uid.value()] = {0};
    told(b, uid, modseq);
  }

  /// Everything in the box's log is durable: only the present flags are possible.
  void settled(int b) {
    auto mailbox = open(b);
    const View view = mailbox->snapshot();
    for (auto r = view.next_from(RecNo(0)); r; r = view.next_from(r->next()))
      now_[b].flags[mailbox->uid(*r).value()] = {mailbox->flags(*r).system};
    note_guest(b, true);
  }

  /// What the guest has now is possible; with `only` nothing else.
  void note_guest(int b, bool only) {
    read_as_guest(*store_, true);
    auto mailbox = open(b);
    const View view = mailbox->snapshot();
    for (auto r = view.next_from(RecNo(0)); r; r = view.next_from(r->next())) {
      std::set<std::uint32_t>& may = now_[b].guest[mailbox->uid(*r).value()];
      if (only) may.clear();
      may.insert(mailbox->flags(*r).system & flag::seen);
    }
    read_as_guest(*store_, false);
    (void)open(b);
  }

  void guest_reads(int b) {
    read_as_guest(*store_, true);
    auto mailbox = open(b);
    const auto records = some(*mailbox);
    const FlagChange change{random_() % 3 != 0 ? FlagOp::add : FlagOp::remove,
                            {flag::seen | (random_() % 4 == 0 ? flag::flagged : 0), {}},
                            std::nullopt};
    const auto stored = mailbox->store_flags(records, change);
    read_as_guest(*store_, false);
    mailbox = open(b);
    ASSERT_TRUE(stored.has_value()) << stored.error().text;
    const View view = mailbox->snapshot();
    for (const RecNo r : records)
      now_[b].flags[mailbox->uid(r).value()].insert(mailbox->flags(r).system);
    note_guest(b, false);
    told(b, Uid(0), stored->modseq);
    note({}, {});
  }

  void step(int what) {
    const int b = box();
    auto mailbox = open(b);
    if (what <= 3) {
      deliver(what == 3);
    } else if (what <= 5) {
      append(b, what == 5 ? 1 + static_cast<int>(random_() % 5) : 1);
    } else if (what <= 8) {
      if (random_() % 3 == 0) return guest_reads(b);
      flags(b, *mailbox);
    } else if (what == 9) {
      expunge(b, *mailbox);
    } else if (what == 10 || what == 11) {
      across(b, *mailbox, what == 11);
    } else if (what == 12) {
      store_->flush_due(true);
      settled(0);
      settled(1);
      note({}, {});
    } else if (random_() % 3 == 0) {
      EXPECT_TRUE(store_->clean(entries_[static_cast<std::size_t>(b)]).has_value());
      settled(b);
      note({}, {});
    }
  }

  void deliver(bool both) {
    const int number = next_number_++;
    Staged staged = store_->stage();
    ASSERT_TRUE(staged.add(mail(number, random_() % 3000)).has_value());
    const int b = box();
    std::vector<DeliveryTarget> targets{{entries_[static_cast<std::size_t>(b)], {}}};
    if (both) targets.push_back({entries_[static_cast<std::size_t>(1 - b)], {}});
    const auto results = store_->deliver(staged, 1'700'000'000 + number, targets);
    for (std::size_t i = 0; i < results.size(); ++i) {
      ASSERT_TRUE(results[i].has_value()) << results[i].error().text;
      add(i == 0 ? b : 1 - b, results[i]->uid, results[i]->modseq, number, 0);
    }
    note(Moment::Kind::add, {number});
  }

  void append(int b, int count) {
    std::vector<Staged> staged;
    std::vector<AppendItem> items;
    std::set<int> numbers;
    const int first = next_number_;
    for (int i = 0; i < count; ++i) {
      staged.push_back(store_->stage());
      ASSERT_TRUE(staged.back().add(mail(next_number_, random_() % 2000)).has_value());
      numbers.insert(next_number_++);
    }
    for (Staged& message : staged)
      items.push_back({&message, {flag::seen, {"imported"}}, 1'600'000'000, 0});
    const auto appended = store_->append(entries_[static_cast<std::size_t>(b)], items);
    ASSERT_TRUE(appended.has_value()) << appended.error().text;
    settled(b);
    for (int i = 0; i < count; ++i) {
      const Appended& one = (*appended)[static_cast<std::size_t>(i)];
      add(b, one.uid, one.modseq, first + i, flag::seen);
    }
    note(count > 1 ? Moment::Kind::many : Moment::Kind::add, numbers);
  }

  void flags(int b, Mailbox& mailbox) {
    const auto records = some(mailbox);
    const auto bit = std::uint32_t{1} << random_() % 5;
    const FlagChange change{random_() % 2 == 0 ? FlagOp::add : FlagOp::remove,
                            {bit, {fmt::format("k{}", random_() % 70)}},
                            std::nullopt};
    const auto stored = mailbox.store_flags(records, change);
    ASSERT_TRUE(stored.has_value()) << stored.error().text;
    for (const RecNo r : records)
      now_[b].flags[mailbox.uid(r).value()].insert(mailbox.flags(r).system);
    note_guest(b, false);
    told(b, Uid(0), stored->modseq);
    note({}, {});
  }

  void expunge(int b, Mailbox& mailbox) {
    const auto gone = mailbox.expunge(some(mailbox), false);
    ASSERT_TRUE(gone.has_value()) << gone.error().text;
    settled(b);
    std::set<int> numbers;
    for (const Uid uid : gone->uids) {
      numbers.insert(now_[b].live[uid.value()]);
      now_[b].live.erase(uid.value());
    }
    told(b, Uid(0), gone->modseq);
    note(Moment::Kind::expunge, numbers);
  }

  void across(int b, Mailbox& mailbox, bool move) {
    const auto records = some(mailbox);
    const meta::MailboxEntry& there = entries_[static_cast<std::size_t>(1 - b)];
    std::map<std::uint32_t, std::uint32_t> had;
    for (const RecNo r : records) had[mailbox.uid(r).value()] = mailbox.flags(r).system;
    const auto copied =
        move ? store_->move(mailbox, records, there) : store_->copy(mailbox, records, there);
    ASSERT_TRUE(copied.has_value()) << copied.error().text;
    std::set<int> numbers;
    if (!copied->source.empty()) settled(1 - b);
    if (!copied->source.empty() && move) settled(b);
    for (std::size_t i = 0; i < copied->source.size(); ++i) {
      const std::uint32_t uid = copied->source[i].value();
      const int number = now_[b].live[uid];
      numbers.insert(number);
      add(1 - b, copied->destination[i], ModSeq(1), number, had[uid]);
      if (move) now_[b].live.erase(uid);
    }
    told(move ? b : 1 - b, Uid(0), copied->modseq);
    note(move ? Moment::Kind::move : Moment::Kind::copy, numbers);
  }

  std::mt19937 random_;
  RecordingFs fs_;
  MemoryMeta meta_;
  ChangeBoard board_;
  config::Config config_;
  std::unique_ptr<Store> store_;
  std::vector<meta::MailboxEntry> entries_;
  std::map<int, Model> now_;
  std::vector<Moment> moments_;
  int next_number_ = 1;
};

/// The mailboxes as they are after the cut.
class After {
 public:
  After(const Workload& workload, const Moment& before, const Moment* under_way)
      : workload_(workload), before_(before), under_way_(under_way) {}

  void verify(const std::string& root) {
    NextBoot fs;
    replace_fs(&fs);
    open_and_look(root);
    replace_fs(nullptr);
  }

 private:
  void open_and_look(const std::string& root) {
    MemoryMeta meta = workload_.meta();
    ChangeBoard board = ChangeBoard::private_board();
    auto store = std::move(Store::open(config_for(root), meta, board).value());
    for (int b = 0; b < 2; ++b) {
      const auto& entry = workload_.entries()[static_cast<std::size_t>(b)];
      auto mailbox = store->open_mailbox(entry);
      ASSERT_TRUE(mailbox.has_value()) << mailbox.error().text;
    }
    for (int b = 0; b < 2; ++b) one_box(*store, b);
    whole_commands();
  }

  void one_box(Store& store, int b) {
    const auto& entry = workload_.entries()[static_cast<std::size_t>(b)];
    const Model& model = before_.boxes.at(b);
    auto mailbox = store.open_mailbox(entry).value();
    const View view = mailbox->snapshot();
    std::map<std::uint32_t, int>& found = found_[b];
    for (auto r = view.next_from(RecNo(0)); r; r = view.next_from(r->next())) {
      const std::uint32_t uid = mailbox->uid(*r).value();
      const auto bytes = mailbox->message(*r);
      ASSERT_TRUE(bytes.has_value()) << bytes.error().text;
      const auto record = mailbox->record(*r);
      ASSERT_TRUE(record.has_value()) << record.error().text;
      ASSERT_EQ(record->guid, guid_of(bytes->bytes())) << "half a message under uid " << uid;
      found[uid] = number_of(bytes->bytes());
      const auto known = model.live.find(uid);
      if (known == model.live.end()) {
        EXPECT_GE(uid, model.uidnext) << "uid " << uid << " comes back";
        EXPECT_TRUE(under_way_ != nullptr && under_way_->numbers.contains(found[uid]))
            << "message " << found[uid] << " out of nowhere";
        continue;
      }
      EXPECT_EQ(known->second, found[uid]) << "uid " << uid << " shows another message";
      std::set<std::uint32_t> may = model.flags.at(uid);
      if (under_way_ != nullptr && under_way_->boxes.at(b).flags.contains(uid))
        may.merge(std::set(under_way_->boxes.at(b).flags.at(uid)));
      EXPECT_TRUE(may.contains(mailbox->flags(*r).system)) << "flags of uid " << uid;
    }
    for (const auto& [uid, number] : model.live) {
      const bool may_go = under_way_ != nullptr && under_way_->numbers.contains(number) &&
                          !under_way_->boxes.at(b).live.contains(uid);
      EXPECT_TRUE(found.contains(uid) || may_go) << "box " << b << " lost uid " << uid;
    }
    guests_flags(store, b);
    const MailboxStatus status = mailbox->status();
    EXPECT_GE(status.uidnext.value(), model.uidnext);
    EXPECT_GE(status.highestmodseq.value(), model.modseq);
    EXPECT_EQ(status.exists, found.size());
    const auto findings = check(store, entry, {.full = true});
    ASSERT_TRUE(findings.has_value()) << findings.error().text;
    for (const Finding& finding : *findings)
      if (finding.kind != Finding::Kind::cache && finding.kind != Finding::Kind::stale)
        ADD_FAILURE() << name_of(finding.kind) << " " << finding.what << " uid "
                      << finding.uid.value_or(Uid(0)).value();
    Staged staged = store.stage();
    ASSERT_TRUE(staged.add(mail(99'999)).has_value());
    const DeliveryTarget target{entry, {}};
    const auto next = store.deliver(staged, 1, std::span(&target, 1));
    ASSERT_TRUE(next[0].has_value()) << next[0].error().text;
    EXPECT_GE(next[0]->uid.value(), model.uidnext);
    EXPECT_GT(next[0]->modseq.value(), model.modseq);
  }

  void guests_flags(Store& store, int b) {
    read_as_guest(store, true);
    auto mailbox = store.open_mailbox(workload_.entries()[static_cast<std::size_t>(b)]).value();
    const View view = mailbox->snapshot();
    for (auto r = view.next_from(RecNo(0)); r; r = view.next_from(r->next())) {
      const std::uint32_t uid = mailbox->uid(*r).value();
      const auto known = before_.boxes.at(b).guest.find(uid);
      if (known == before_.boxes.at(b).guest.end()) continue;
      std::set<std::uint32_t> may = known->second;
      if (under_way_ != nullptr && under_way_->boxes.at(b).guest.contains(uid))
        may.merge(std::set(under_way_->boxes.at(b).guest.at(uid)));
      EXPECT_TRUE(may.contains(mailbox->flags(*r).system & flag::seen))
          << "the guest's uid " << uid;
    }
    read_as_guest(store, false);
    (void)store.open_mailbox(workload_.entries()[static_cast<std::size_t>(b)]);
  }

  static int number_of(std::string_view bytes) {
    const auto at = bytes.find("<m");
    return at == std::string_view::npos ? -1 : std::atoi(std::string(bytes.substr(at + 2)).c_str());
  }

  int times(int b, int number) {
    int count = 0;
    for (const auto& [uid, n] : found_[b]) count += n == number ? 1 : 0;
    return count;
  }
  static int times(const Model& model, int number) {
    int count = 0;
    for (const auto& [uid, n] : model.live) count += n == number ? 1 : 0;
    return count;
  }

  // A command under way is done as a whole or not at all; a move leaves nothing twice.
  void whole_commands() {
    if (under_way_ == nullptr) return;
    if (under_way_->kind == Moment::Kind::many || under_way_->kind == Moment::Kind::copy ||
        under_way_->kind == Moment::Kind::expunge) {
      std::set<bool> done;
      for (int b = 0; b < 2; ++b)
        for (const int number : under_way_->numbers) {
          const int was = times(before_.boxes.at(b), number);
          const int will = times(under_way_->boxes.at(b), number);
          if (was != will) done.insert(times(b, number) == will);
        }
      EXPECT_LE(done.size(), 1U) << "half a command";
    }
    if (under_way_->kind != Moment::Kind::move) return;
    for (const int number : under_way_->numbers)
      EXPECT_EQ(times(0, number) + times(1, number),
                times(before_.boxes.at(0), number) + times(before_.boxes.at(1), number))
          << "message " << number << " moved to both or none";
  }

  const Workload& workload_;
  const Moment& before_;
  const Moment* under_way_;
  std::map<int, std::map<std::uint32_t, int>> found_;
};

void cut_at_many_moments(unsigned seed, int steps, int cuts) {
  const std::string root = fast_directory();
  const std::string spool = root + "/spool";
  std::filesystem::create_directory(spool);
  {
    Workload workload(seed, spool);
    workload.run(steps);
    std::mt19937 random(seed);
    const std::size_t first = workload.moments().front().events;
    for (int cut = 0; cut < cuts && !::testing::Test::HasFailure(); ++cut) {
      const std::size_t at =
          std::uniform_int_distribution<std::size_t>(first, workload.events().size())(random);
      const Moment* before = nullptr;
      const Moment* under_way = nullptr;
      for (const Moment& moment : workload.moments()) {
        if (moment.events > at) {
          under_way = &moment;
          break;
        }
        before = &moment;
      }
      const std::string disk = fmt::format("{}/{}", root, cut);
      std::filesystem::create_directory(disk);
      materialise(workload.events(), at, random, disk);
      SCOPED_TRACE(fmt::format("seed {} cut {} after event {} of {}", seed, cut, at,
                               workload.events().size()));
      After(workload, *before, under_way).verify(disk);
      if (!::testing::Test::HasFailure()) std::filesystem::remove_all(disk);
    }
  }
  if (!::testing::Test::HasFailure()) std::filesystem::remove_all(root);
}

int scaled(int cuts) {
  const char* factor = std::getenv("POSTERN_CUTS");
  return factor == nullptr ? cuts : cuts * std::atoi(factor);
}

class PowerCut : public ::testing::TestWithParam<unsigned> {};

TEST_P(PowerCut, LosesNothingThatWasAcknowledged) {
  cut_at_many_moments(GetParam(), 60, scaled(150));
}
INSTANTIATE_TEST_SUITE_P(Seeds, PowerCut, ::testing::Range(1U, 15U));

}  // namespace
}  // namespace postern::store::testing
