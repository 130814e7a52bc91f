// What the store costs, without any protocol: delivery, flags, copies, expunges, walks over a large
// mailbox, opening. Usage: store_bench DIRECTORY [messages]; use an ext4 with a journal, empty.
#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "lib/log/log.h"
#include "tests/unit/store/fixture.h"

namespace postern::store::testing {
namespace {

double cpu_seconds() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(use.ru_utime) + seconds(use.ru_stime);
}

/// Prints how many a second, and the CPU time of each.
template <typename Work>
void measure(std::string_view what, std::uint64_t count, Work work) {
  const auto begin = std::chrono::steady_clock::now();
  const double cpu = cpu_seconds();
  work();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  fmt::print("{:<44} {:>12.0f}/s {:>10.2f} us CPU each\n", what,
             static_cast<double>(count) / took.count(),
             (cpu_seconds() - cpu) * 1e6 / static_cast<double>(count));
  std::fflush(stdout);
}

std::vector<RecNo> all_of(const View& view) {
  std::vector<RecNo> records;
  records.reserve(view.exists());
  for (auto r = view.next_from(RecNo(0)); r; r = view.next_from(r->next())) records.push_back(*r);
  return records;
}

class Bench {
 public:
  Bench(const std::string& directory, std::uint32_t messages)
      : messages_(messages),
        board_(ChangeBoard::private_board()),
        store_(std::move(Store::open(config_for(directory), meta_, board_).value())) {}

  void run() {
    deliveries();
    fill();
    walks();
    opening();
    flags();
    across();
    expunge();
  }

 private:
  meta::MailboxEntry make(std::string_view text) {
    return store_->create(name(text), meta::Acl()).value();
  }

  void deliver(std::span<const DeliveryTarget> targets, const std::string& text) {
    Staged staged = store_->stage();
    (void)staged.add(text);
    for (const auto& result : store_->deliver(staged, 1'700'000'000, targets))
      if (!result) fmt::print("failed: {}\n", result.error().text), std::exit(1);
  }

  void deliveries() {
    const std::string small = mail(1, 20'000);
    const std::vector<DeliveryTarget> one{{make("user/one"), {}}};
    deliver(one, small);
    measure("deliver 20 KB, one mailbox", 2'000, [&] {
      for (int i = 0; i < 2'000; ++i) deliver(one, small);
    });
    std::vector<DeliveryTarget> twenty;
    for (int i = 0; i < 20; ++i) twenty.push_back({make(fmt::format("user/t{}", i)), {}});
    deliver(twenty, small);
    measure("deliver 20 KB to 20 (deliveries)", 10'000, [&] {
      for (int i = 0; i < 500; ++i) deliver(twenty, small);
    });
  }

  // The large mailbox doubles itself by COPY.
  void fill() {
    big_ = make("user/big");
    const std::vector<DeliveryTarget> target{{big_, {}}};
    for (int i = 0; i < 1'000; ++i) deliver(target, mail(i, 2'000));
    auto mailbox = store_->open_mailbox(big_).value();
    std::uint64_t copied = 0;
    measure("COPY (messages)", messages_ - 1'000, [&] {
      while (mailbox->status().exists < messages_) {
        auto records = all_of(mailbox->snapshot());
        const std::size_t room = messages_ - mailbox->status().exists;
        records.resize(std::min({records.size(), room, std::size_t{100'000}}));
        copied += store_->copy(*mailbox, records, big_).value().source.size();
      }
    });
    fmt::print("  ({} copied)\n", copied);
  }

  void walks() {
    auto mailbox = store_->open_mailbox(big_).value();
    const View view = mailbox->snapshot();
    for (const char* round : {"first", "again"}) {
      std::uint64_t sum = 0;
      measure(fmt::format("walk uid and flags, {}", round), view.exists(), [&] {
        for (auto r = view.next_from(RecNo(0)); r; r = view.next_from(r->next()))
          sum += mailbox->uid(*r).value() + mailbox->flag_word(*r).system;
      });
      measure(fmt::format("walk ENVELOPE, {}", round), view.exists(), [&] {
        std::string out;
        for (auto r = view.next_from(RecNo(0)); r; r = view.next_from(r->next())) {
          out.append(mailbox->facts(*r).value().envelope);
          if (out.size() > 60'000) out.clear();
        }
      });
      if (sum == 0) fmt::print("nothing?\n");
    }
  }

  void opening() {
    store_->drop_cache();
    measure("open and snapshot, nothing open before", 20, [&] {
      for (int i = 0; i < 20; ++i) {
        store_->drop_cache();
        (void)store_->open_mailbox(big_).value()->snapshot();
      }
    });
    auto mailbox = store_->open_mailbox(big_).value();
    measure("snapshot", 1'000, [&] {
      for (int i = 0; i < 1'000; ++i) (void)mailbox->snapshot();
    });
  }

  void flags() {
    auto mailbox = store_->open_mailbox(big_).value();
    View view = mailbox->snapshot();
    const auto records = all_of(view);
    const FlagChange seen{FlagOp::add, {flag::seen, {}}, std::nullopt};
    const FlagChange flagged{FlagOp::add, {flag::flagged, {"$Later"}}, std::nullopt};
    measure("STORE 1:* (messages)", records.size(), [&] {
      (void)mailbox->store_flags(records, seen);
      (void)mailbox->advance(view, true);
    });
    measure("single STORE", 20'000, [&] {
      for (std::size_t i = 0; i < 20'000; ++i) {
        (void)mailbox->store_flags(
            std::span(&records[i * 7 % records.size()], 1),
            i % 2 == 0 ? flagged : FlagChange{FlagOp::remove, flagged.flags, {}});
        (void)mailbox->advance(view, true);
      }
    });
  }

  void across() {
    auto mailbox = store_->open_mailbox(big_).value();
    auto records = all_of(mailbox->snapshot());
    records.resize(std::min<std::size_t>(records.size(), 20'000));
    const auto there = make("user/there");
    measure("MOVE (messages)", records.size(),
            [&] { (void)store_->move(*mailbox, records, there).value(); });
  }

  void expunge() {
    auto mailbox = store_->open_mailbox(big_).value();
    View view = mailbox->snapshot();
    const auto records = all_of(view);
    measure("EXPUNGE (messages)", records.size(), [&] {
      (void)mailbox->expunge(records, false).value();
      (void)mailbox->advance(view, true);
    });
  }

  std::uint32_t messages_;
  MemoryMeta meta_;
  ChangeBoard board_;
  std::unique_ptr<Store> store_;
  meta::MailboxEntry big_;
};

}  // namespace
}  // namespace postern::store::testing

int main(int argc, char** argv) {
  if (argc < 2) return fmt::print("usage: {} DIRECTORY [messages]\n", argv[0]), 64;
  const auto messages = static_cast<std::uint32_t>(argc > 2 ? std::atoi(argv[2]) : 100'000);
  postern::log::open("store_bench", "stderr", postern::log::Level::error);
  postern::store::testing::Bench(argv[1], messages).run();
  return 0;
}
