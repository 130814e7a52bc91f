// A small mailbox whose header, index, log, cache, keywords and a reader's \Seen are damaged at
// many places at once: no crash, no endless loop, a repair that leaves nothing to repair, no
// message file lost, and nothing seen that was not. The input is a list of edits: file, offset (2
// octets), length, octets.
#include <fcntl.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

#include "lib/base/assert.h"
#include "lib/log/log.h"
#include "lib/store/check.h"
#include "lib/store/fs.h"
#include "lib/store/store.h"
#include "tests/unit/store/memory_meta.h"

namespace postern::store {
namespace {

namespace stdfs = std::filesystem;

// The last is bob's \Seen: MemoryMeta makes ids of names.
constexpr std::array<const char*, 6> kFiles{
    "header", "index", "log", "cache", "keywords", "seen.626f6200000000000000000000000000"};

const std::set<Uid> kSeen{Uid(1), Uid(4)};

std::string load(const stdfs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string mail(int number) {
  return fmt::format("From: a@example.org\r\nSubject: {}\r\nContent-Type: text/plain\r\n\r\nx\r\n",
                     number);
}

/// The folder needs no syncs; and what is read has no room that a small file leaves empty: a
/// megabyte of it costs more here than all else.
class HastyFs final : public Fs {
 public:
  Result<void> sync(int) override { return {}; }
  Result<void> sync_data(int) override { return {}; }
  Result<void> sync_fs(int) override { return {}; }
  Result<std::string> read_at(int fd, std::uint64_t offset, std::size_t most) override {
    const std::uint64_t size = TRY(size_of(fd));
    return Fs::read_at(fd, offset, std::min(most, size - std::min(size, offset)));
  }
};

/// Made once; its folder is removed at exit.
struct World {
  World() {
    char name[] = "/dev/shm/postern-fuzz-XXXXXX";
    folder = ::mkdtemp(name);
    log::open("fuzz", "stderr", static_cast<log::Level>(9));  // nothing
    replace_fs(&hasty);
    config = config::Config::parse("[partition.default]\npath = \"" + folder + "\"\n").value();
    reopen();
    entry = store->create(meta::MailboxName::from_utf8("user/anna").value(), meta::Acl()).value();
    for (int number = 1; number <= 4; ++number) put(number);
    auto mailbox = store->open_mailbox(entry).value();
    const RecNo second = mailbox->snapshot().at(SeqNum(2));
    ASSERT(mailbox->expunge(std::span(&second, 1), false));
    mailbox.reset();
    read_as_bob();
    where = store->directory_of(entry.id, "default").value();
    store.reset();
    for (std::size_t i = 0; i < kFiles.size(); ++i) pristine[i] = load(where + "/" + kFiles[i]);
    for (const std::string& octets : pristine) ASSERT(!octets.empty());
    files = message_files();
  }
  ~World() {
    store.reset();
    stdfs::remove_all(folder);
    replace_fs(nullptr);
  }

  void put(int number) {
    Staged staged = store->stage();
    ASSERT(staged.add(mail(number)));
    const DeliveryTarget target{entry,
                                {.system = number == 1 ? flag::seen : 0, .keywords = {"a", "b"}}};
    ASSERT(store->deliver(staged, 1'700'000'000, std::span(&target, 1))[0]);
  }
  /// Leaves records in bob's file before and behind each other. He sees kSeen in the end, and never
  /// saw anything else.
  void read_as_bob() {
    store->set_reader(reader);
    auto mailbox = store->open_mailbox(entry).value();
    const View view = mailbox->snapshot();
    const std::vector<RecNo> both{view.at(SeqNum(1)), view.at(SeqNum(3))};
    const std::span first(both.data(), 1);
    ASSERT(mailbox->store_flags(first, {FlagOp::add, {flag::seen, {}}, {}}));
    ASSERT(mailbox->store_flags(first, {FlagOp::remove, {flag::seen, {}}, {}}));
    ASSERT(mailbox->store_flags(both, {FlagOp::add, {flag::seen, {}}, {}}));
  }
  void reopen() {
    store = std::move(Store::open(config, meta, board).value());
    store->set_reader(reader);
  }
  std::set<std::string> message_files() const {
    std::set<std::string> names;
    for (const auto& file : stdfs::directory_iterator(where))
      if (const auto name = file.path().filename().string(); name.ends_with('.'))
        names.insert(name);
    return names;
  }
  void restore(const std::array<std::string, kFiles.size()>& contents) {
    for (const auto& file : stdfs::directory_iterator(where))
      if (!file.path().filename().string().ends_with('.')) stdfs::remove(file.path());
    for (std::size_t i = 0; i < kFiles.size(); ++i) {
      const Fd file = hasty.open(where + "/" + kFiles[i], O_WRONLY | O_CREAT).value();
      ASSERT(hasty.write_at(file.get(), 0, contents[i]));
    }
  }

  HastyFs hasty;
  std::string folder;
  config::Config config = config::Config::parse("").value();
  testing::MemoryMeta meta;
  ChangeBoard board = ChangeBoard::private_board();
  std::unique_ptr<Store> store;
  meta::MailboxEntry entry;
  meta::UserName reader = meta::UserName::from_utf8("bob").value();
  std::string where;
  std::array<std::string, kFiles.size()> pristine;
  std::set<std::string> files;
};

/// What a session reads: octets of the messages as far as they could be read, and uids with \Seen.
struct Look {
  std::multiset<std::string> messages;
  std::set<Uid> seen;
};

Look look(World& world) {
  Look found;
  auto mailbox = world.store->open_mailbox(world.entry);
  if (!mailbox) return found;
  const View view = (*mailbox)->snapshot();
  for (auto r = view.next_from(RecNo(0)); r; r = view.next_from(r->next())) {
    const Uid uid = (*mailbox)->uid(*r);
    if (((*mailbox)->flags(*r).system & flag::seen) != 0) found.seen.insert(uid);
    (void)(*mailbox)->facts(*r);
    if (const auto bytes = (*mailbox)->message(*r)) found.messages.emplace(bytes->bytes());
  }
  return found;
}

void damage(std::array<std::string, kFiles.size()>& contents, std::string_view edits) {
  while (edits.size() >= 4) {
    std::string& text = contents[static_cast<unsigned char>(edits[0]) % contents.size()];
    std::uint16_t at = 0;
    std::memcpy(&at, edits.data() + 1, 2);
    const auto size = static_cast<unsigned char>(edits[3]);
    edits.remove_prefix(4);
    const std::string_view octets = edits.substr(0, size);
    edits.remove_prefix(octets.size());
    if (text.empty()) continue;
    const std::size_t from = at % text.size();
    if (size == 0)
      text.resize(from);  // cut off
    else
      octets.copy(text.data() + from, std::min(octets.size(), text.size() - from));
  }
}

void play(World& world, std::string_view edits) {
  auto contents = world.pristine;
  damage(contents, edits);
  world.store.reset();
  world.restore(contents);
  world.reopen();
  (void)look(world);
  if (!check(*world.store, world.entry, {.full = true, .repair = true}))
    ASSERT(reconstruct(*world.store, world.entry));
  const auto left = check(*world.store, world.entry, {.full = true});
  ASSERT(left);
  for (const Finding& finding : *left) {
    if (finding.kind == Finding::Kind::cache || finding.kind == Finding::Kind::stale) continue;
    std::fprintf(stderr, "%s: %s\n", std::string(name_of(finding.kind)).c_str(),
                 finding.what.c_str());
    const bool mended = false;
    ASSERT(mended);
  }
  ASSERT(world.message_files() == world.files);
  const Look after = look(world);
  for (const int number : {1, 3, 4}) ASSERT(after.messages.contains(mail(number)));
  ASSERT(std::ranges::includes(kSeen, after.seen));
}

}  // namespace
}  // namespace postern::store

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static postern::store::World world;
  postern::store::play(world, {reinterpret_cast<const char*>(data), size});
  return 0;
}
