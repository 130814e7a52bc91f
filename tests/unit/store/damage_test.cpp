// Flipped bits in the small files of a mailbox: detected wherever an octet means something, never a
// crash, never a lost message. One bit of each octet; with POSTERN_ALL_BITS all eight.
#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "lib/log/log.h"
#include "lib/store/format.h"
#include "tests/unit/store/fixture.h"

namespace postern::store::testing {
namespace {

namespace stdfs = std::filesystem;

std::string load(const stdfs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// What a session sees of the mailbox.
struct Sight {
  std::vector<std::tuple<std::uint32_t, std::uint32_t, std::vector<std::string>, std::string>>
      messages;  // uid, flags, keywords, octets
  std::vector<std::string> envelopes;
  friend bool operator==(const Sight&, const Sight&) = default;
};

class DamageTest : public StoreTest {
 protected:
  DamageTest() {
    log::open("unit_store", "stderr", static_cast<log::Level>(9));  // thousands of lines otherwise
    inbox = make("user/anna");
    put(inbox, mail(1), {.system = flag::seen, .keywords = {"a"}});
    put(inbox, mail(2));
    put(inbox, mail(3), {.system = flag::flagged, .keywords = {"b"}});
    put(inbox, mail(4));
    auto mailbox = store->open_mailbox(inbox).value();
    const RecNo second = mailbox->snapshot().at(SeqNum(2));
    EXPECT_TRUE(mailbox->expunge(std::span(&second, 1), false).has_value());
    where = store->directory_of(inbox.id, "default").value();
    store.reset();
    pristine = directory.path() + "/pristine";
    stdfs::copy(where, pristine, stdfs::copy_options::recursive);
  }

  Sight look() {
    Sight sight;
    auto mailbox = store->open_mailbox(inbox);
    if (!mailbox) return sight;
    const View view = (*mailbox)->snapshot();
    for (auto r = view.next_from(RecNo(0)); r; r = view.next_from(r->next())) {
      std::vector<std::string> names;
      for (std::uint64_t left = (*mailbox)->flags(*r).keywords; left != 0; left &= left - 1) {
        const auto number = static_cast<std::size_t>(std::countr_zero(left));
        names.push_back(number < (*mailbox)->keywords().size() ? (*mailbox)->keywords()[number]
                                                               : "unknown");
      }
      const auto bytes = (*mailbox)->message(*r);
      sight.messages.emplace_back((*mailbox)->uid(*r).value(), (*mailbox)->flags(*r).system, names,
                                  bytes ? std::string(bytes->bytes()) : bytes.error().text);
      const auto facts = (*mailbox)->facts(*r);
      sight.envelopes.emplace_back(facts ? facts->envelope : "none");
    }
    return sight;
  }

  void restore(const std::string& file, const std::string& damaged) {
    store.reset();
    for (const auto& entry : stdfs::directory_iterator(where))
      if (!entry.path().filename().string().ends_with('.')) stdfs::remove(entry.path());
    for (const auto& entry : stdfs::directory_iterator(pristine))
      if (!entry.path().filename().string().ends_with('.'))
        stdfs::copy_file(entry.path(), where + "/" + entry.path().filename().string());
    std::ofstream(where + "/" + file, std::ios::binary | std::ios::trunc) << damaged;
    store = std::move(Store::open(config, meta, board).value());
  }

  int message_files() const {
    int count = 0;
    for (const auto& entry : stdfs::directory_iterator(where))
      count += entry.path().filename().string().ends_with('.') ? 1 : 0;
    return count;
  }

  /// Whether anything is meant by the bit (doc/format.md). The mailbox has four records, of which
  /// the second is a tombstone, and an even commit.
  static bool is_used(const std::string& file, const std::string& whole, std::size_t at,
                      unsigned bit) {
    if (file == "log") return whole.find_first_not_of('\0', at) != std::string::npos;
    if (file == "cache") {
      const std::size_t record = (whole.size() - 64) / 4;
      return at < 64 + record || at >= 64 + 2 * record;
    }
    if (file != "index") return true;
    if (at < 4096)
      return at < 80 || (at >= 88 && at < 104) || (at >= 512 && at < 752) ||
             (at == 1536 && bit < 4) || (at >= 1664 && at < 1728) || at >= 2048;
    constexpr std::size_t kBegins[] = {0, 8, 16, 24, 32, 40, 44, 48, 52, 56, 64, 72, 80, 88, 120};
    const std::size_t place = (at - 4096) / 32;
    const auto* const next = std::ranges::upper_bound(kBegins, place);
    if (next == std::end(kBegins)) return false;
    const std::size_t begin = *(next - 1);
    const std::size_t slot = (at - 4096 - begin * 32) / (*next - begin);
    const bool cache_of_tombstone = begin == 32 && slot == 1;
    return slot < 4 && !cache_of_tombstone;
  }

  void flip_all(const std::string& file) {
    const std::string whole = load(pristine + "/" + file);
    restore(file, whole);
    const Sight good = look();
    ASSERT_EQ(good.messages.size(), 3U);
    const int files = message_files();
    const bool all = std::getenv("POSTERN_ALL_BITS") != nullptr;
    for (std::size_t at = 0; at < whole.size(); ++at)
      for (unsigned bit = all ? 0 : at % 8; bit < (all ? 8 : at % 8 + 1); ++bit) {
        std::string damaged = whole;
        damaged[at] = static_cast<char>(damaged[at] ^ 1 << bit);
        SCOPED_TRACE(fmt::format("{}: octet {} bit {}", file, at, bit));
        restore(file, damaged);
        const auto findings = check(*store, inbox, {.full = true, .repair = true});
        ASSERT_TRUE(findings.has_value()) << findings.error().text;
        ASSERT_EQ(look(), good);
        // What is made anew may have the same octet there: a generation, a modseq after a leap.
        const auto rest = [&](const std::string& text) {
          return text.substr(0, sizeof(Preamble)) + text.substr(std::min(text.size(), at), 1) +
                 (file == "index" ? text.substr(512, sizeof(State)) : std::string());
        };
        const bool mended = rest(load(where + "/" + file)) != rest(damaged);
        ASSERT_TRUE(!findings->empty() || mended || !is_used(file, whole, at, bit));
        const auto left = check(*store, inbox, {.full = true});
        ASSERT_TRUE(left.has_value());
        for (const Finding& finding : *left)
          ADD_FAILURE() << name_of(finding.kind) << " " << finding.what;
        ASSERT_EQ(message_files(), files);
        if (HasFailure()) return;
      }
  }

  void look_only(const std::string& file) {
    const std::string whole = load(pristine + "/" + file);
    restore(file, whole);
    const Sight good = look();
    for (std::size_t at = 0; at < whole.size(); ++at) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ 1 << at % 8);
      SCOPED_TRACE(fmt::format("{}: octet {}", file, at));
      restore(file, damaged);
      ASSERT_EQ(look(), good);
    }
  }

  meta::MailboxEntry inbox;
  std::string where, pristine;
};

TEST_F(DamageTest, FlippedBitsOfTheHeaderAreRepaired) { flip_all("header"); }
TEST_F(DamageTest, FlippedBitsOfTheIndexAreRepaired) { flip_all("index"); }
TEST_F(DamageTest, FlippedBitsOfTheCacheAreRepaired) { flip_all("cache"); }
TEST_F(DamageTest, FlippedBitsOfTheKeywordsAreRepaired) { flip_all("keywords"); }
TEST_F(DamageTest, FlippedBitsOfTheLogAreRepaired) { flip_all("log"); }
TEST_F(DamageTest, ASessionSeesNoFlippedBitOfTheIndex) { look_only("index"); }
TEST_F(DamageTest, ASessionSeesNoFlippedBitOfTheCache) { look_only("cache"); }

TEST_F(DamageTest, WithoutIndexTheLogGivesEverything) {
  restore("header", load(pristine + "/header"));
  const Sight good = look();
  store.reset();
  stdfs::remove(where + "/index");
  reopen();
  EXPECT_EQ(look(), good);
  reopen();
  EXPECT_EQ(look(), good);
}

TEST_F(DamageTest, WithoutIndexAndLogTheFilesGiveTheMessages) {
  restore("header", load(pristine + "/header"));
  store.reset();
  for (const char* name : {"index", "log", "cache", "keywords"}) stdfs::remove(where + "/" + name);
  reopen();
  const auto rebuilt = reconstruct(*store, inbox);
  ASSERT_TRUE(rebuilt.has_value()) << rebuilt.error().text;
  const Sight sight = look();
  ASSERT_EQ(sight.messages.size(), 4U);  // the expunged one too: nothing else knows of it
  EXPECT_EQ(std::get<0>(sight.messages[3]), 4U);
  EXPECT_GE(put(inbox, mail(5)).value(), 5U);
}

TEST_F(DamageTest, WhatComesBackFromFilesAloneCanBeTold) {
  reopen();
  const auto entry = make("user/bert");
  for (int i = 1; i <= 3; ++i) put(entry, mail(i), {.system = flag::seen, .keywords = {"k"}});
  auto mailbox = store->open_mailbox(entry).value();
  const std::vector<RecNo> second{mailbox->snapshot().at(SeqNum(2))};
  ASSERT_TRUE(mailbox->expunge(second, false).has_value());
  mailbox.reset();
  const std::string there = store->directory_of(entry.id, "default").value();
  store.reset();
  for (const char* file : {"/index", "/index.prev", "/log", "/log.prev", "/keywords"})
    std::filesystem::remove(there + file);
  reopen();
  mailbox = store->open_mailbox(entry).value();
  const View view = mailbox->snapshot();
  EXPECT_EQ(uids(*mailbox, view), (std::vector<Uid>{Uid(1), Uid(2), Uid(3)}));
  EXPECT_EQ(mailbox->uidvalidity(), entry.uidvalidity);
  EXPECT_EQ(mailbox->keywords(), std::vector<std::string>{"restored"});
  for (SeqNum n(1); n.value() <= 3; n = n.next())
    EXPECT_EQ(mailbox->flags(view.at(n)).keywords, 1U);
  const Uid fresh = put(entry, mail(4));
  (void)mailbox->snapshot();
  EXPECT_EQ(mailbox->flags(*mailbox->find(fresh)).keywords, 0U);
  EXPECT_TRUE(check(*store, entry).value().empty());
}

/// Uids in the rows of the first block of `index`, from record `first` on.
void write_uids(const std::string& index, std::uint32_t first, std::vector<std::uint32_t> uids) {
  std::fstream out(index, std::ios::binary | std::ios::in | std::ios::out);
  out.seekp(block::offset(0) + std::uint64_t{column::kUid} * block::size(0) + first * sizeof(Uid));
  out.write(reinterpret_cast<const char*>(uids.data()),
            static_cast<std::streamsize>(uids.size() * sizeof(Uid)));
}

TEST_F(DamageTest, ADamagedUidLeavesOutNoMessage) {
  for (const std::vector<std::uint32_t>& damaged :
       {std::vector<std::uint32_t>{0, 4, 0, 0}, {4, 0, 0, 0}, {3, 3, 3, 3}, {9, 8, 7, 6}}) {
    SCOPED_TRACE(fmt::format("{}", fmt::join(damaged, " ")));
    restore("log", load(pristine + "/log").substr(0, 64));
    store.reset();
    write_uids(where + "/index", 0, damaged);
    reopen();
    const Sight sight = look();
    ASSERT_EQ(sight.messages.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i)
      EXPECT_EQ(std::get<0>(sight.messages[i]), std::vector<std::uint32_t>({1, 3, 4})[i]);
    EXPECT_EQ(std::get<1>(sight.messages[1]), std::uint32_t{flag::flagged});
    EXPECT_TRUE(check(*store, inbox, {.full = true}).value().empty());
  }
}

TEST_F(DamageTest, ADamagedTombstoneTakesNoUidOfTheRecordsBehindIt) {
  restore("log", load(pristine + "/log").substr(0, 64));
  store.reset();
  stdfs::remove(where + "/2.");
  write_uids(where + "/index", 1, {0, 0});
  reopen();
  (void)look();  // its view is older than the repair
  const Sight sight = look();
  ASSERT_EQ(sight.messages.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_EQ(std::get<0>(sight.messages[i]), std::vector<std::uint32_t>({1, 3, 4})[i]);
  EXPECT_EQ(std::get<1>(sight.messages[1]), std::uint32_t{flag::flagged});
  EXPECT_TRUE(check(*store, inbox, {.full = true}).value().empty());
}

/// Octets of `index`: the flags word of a record of the first block, or a state.
void overwrite(const std::string& index, std::uint64_t at, const std::string& octets) {
  std::fstream out(index, std::ios::binary | std::ios::in | std::ios::out);
  out.seekp(static_cast<std::streamoff>(at));
  out << octets;
}
std::uint64_t flags_word(std::uint32_t record) { return block::offset(0) + record * 8; }

TEST_F(DamageTest, ReplayTakesNoDamagedFlagsForSound) {
  restore("header", load(pristine + "/header"));
  ASSERT_TRUE(reconstruct(*store, inbox).has_value());  // a new log, a copy of the index
  auto mailbox = store->open_mailbox(inbox).value();
  const std::vector<RecNo> first{mailbox->snapshot().at(SeqNum(1))};
  ASSERT_TRUE(mailbox->store_flags(first, {FlagOp::add, {flag::flagged, {}}, {}}).has_value());
  mailbox.reset();
  const Sight good = look();
  for (const bool with_copy : {true, false}) {
    store.reset();
    overwrite(where + "/index", flags_word(0), std::string(8, '\xff'));
    for (const std::uint64_t state : {512, 1024}) overwrite(where + "/index", state + 200, "x");
    if (!with_copy) stdfs::remove(where + "/index.prev");
    reopen();
    (void)look();
    const Sight sight = look();
    if (with_copy) {
      EXPECT_EQ(sight, good);
    }
    EXPECT_EQ(sight.messages.size(), 3U);
    ASSERT_TRUE(check(*store, inbox, {.full = true, .repair = true}).has_value());
    EXPECT_EQ(message_files(), 4);
  }
}

TEST_F(DamageTest, TheFirstChangeAfterTheLogWasLostStays) {
  reopen();
  const auto entry = make("user/bert");
  for (int i = 1; i <= 3; ++i) put(entry, mail(i));
  const std::string there = store->directory_of(entry.id, "default").value();
  store.reset();
  std::filesystem::remove(there + "/log");
  reopen();
  auto mailbox = store->open_mailbox(entry).value();
  const std::vector<RecNo> second{mailbox->snapshot().at(SeqNum(2))};
  ASSERT_TRUE(mailbox->store_flags(second, {FlagOp::add, {flag::flagged, {}}, {}}).has_value());
  EXPECT_TRUE(check(*store, entry).value().empty());
}

}  // namespace
}  // namespace postern::store::testing
