#include "lib/store/keyword_table.h"

#include <fcntl.h>

#include "lib/base/wire.h"
#include "lib/store/fs.h"

namespace postern::store {
namespace {

struct EntryHead {
  std::uint32_t length = 0;  // with this head, a multiple of 8
  std::uint32_t crc = 0;     // of what follows
  std::uint32_t kind = 0;    // 1: name, 2: set
  std::uint32_t number = 0;
  std::uint32_t payload = 0;
  std::uint32_t reserved = 0;
};
static_assert(sizeof(EntryHead) == 24);

}  // namespace

std::string KeywordTable::entry(bool is_set, std::uint32_t number, std::string_view bytes) {
  EntryHead head;
  head.length = static_cast<std::uint32_t>((sizeof head + bytes.size() + 7) / 8 * 8);
  head.kind = is_set ? 2 : 1;
  head.number = number;
  head.payload = static_cast<std::uint32_t>(bytes.size());
  std::string out(head.length, '\0');
  std::memcpy(out.data(), &head, sizeof head);
  bytes.copy(out.data() + sizeof head, bytes.size());
  head.crc = crc32c(std::string_view(out).substr(8));
  std::memcpy(out.data(), &head, sizeof head);
  return out;
}

std::string KeywordTable::encode_set(const std::vector<std::uint16_t>& keywords) {
  return {reinterpret_cast<const char*>(keywords.data()), keywords.size() * 2};
}

Result<void> KeywordTable::open(bool create) {
  if (!fd_) fd_ = TRY(fs().open(path_, O_RDWR | (create ? O_CREAT : 0)));
  return {};
}

Result<void> KeywordTable::refresh(const State& state) {
  if (state.keywords_end <= end_) return {};
  TRY(open(false));
  const std::string bytes = TRY(fs().read_at(fd_.get(), end_, state.keywords_end - end_));
  std::string_view rest = bytes;
  while (!rest.empty()) {
    EntryHead head;
    if (rest.size() < sizeof head) return fail(Errc::corrupt, "{}: cut short", path_);
    std::memcpy(&head, rest.data(), sizeof head);
    if (head.length < sizeof head || head.length > rest.size() ||
        head.payload > head.length - sizeof head ||
        head.crc != crc32c(rest.substr(8, head.length - 8)))
      return fail(Errc::corrupt, "{}: damaged at {}", path_, end_);
    TRY(take(rest.substr(0, head.length)));
    end_ += head.length;
    rest.remove_prefix(head.length);
  }
  if (end_ < state.keywords_end) return fail(Errc::corrupt, "{}: cut short at {}", path_, end_);
  return {};
}

Result<void> KeywordTable::take(std::string_view bytes) {
  EntryHead head;
  std::memcpy(&head, bytes.data(), sizeof head);
  const std::string_view payload = bytes.substr(sizeof head, head.payload);
  if (head.kind == 1) {
    if (head.number != names_.size()) return fail(Errc::corrupt, "{}: wrong number", path_);
    names_.emplace_back(payload);
    numbers_.emplace(payload, static_cast<std::uint16_t>(head.number));
    return {};
  }
  if (head.kind != 2 || head.number != sets_.size() || payload.size() % 2 != 0)
    return fail(Errc::corrupt, "{}: wrong set", path_);
  std::vector<std::uint16_t> set(payload.size() / 2);
  payload.copy(reinterpret_cast<char*>(set.data()), payload.size());
  set_numbers_.emplace(set, head.number);
  sets_.push_back(std::move(set));
  return {};
}

std::optional<std::uint16_t> KeywordTable::find(std::string_view name) const {
  const auto at = numbers_.find(name);
  return at == numbers_.end() ? std::nullopt : std::optional(at->second);
}

const std::vector<std::uint16_t>& KeywordTable::set(std::uint32_t number) const {
  return number < sets_.size() ? sets_[number] : sets_[0];
}

std::optional<std::uint32_t> KeywordTable::find_set(
    const std::vector<std::uint16_t>& keywords) const {
  if (keywords.empty()) return 0;
  const auto at = set_numbers_.find(keywords);
  return at == set_numbers_.end() ? std::nullopt : std::optional(at->second);
}

Result<void> KeywordTable::write_entry(std::uint64_t at, std::string_view entry,
                                       const MailboxId& mailbox, std::string_view partition) {
  TRY(open(true));
  if (at == sizeof(Preamble)) {
    const Preamble preamble = make_preamble(kKeywordsMagic, mailbox, partition, 1, UidValidity());
    TRY(fs().write_at(fd_.get(), 0, {reinterpret_cast<const char*>(&preamble), sizeof preamble}));
  }
  return fs().write_at(fd_.get(), at, entry);
}

KeywordTable::Contents KeywordTable::salvage(const std::string& path) {
  Contents found;
  const std::string bytes = read_whole(path).value_or("");
  for (std::size_t at = sizeof(Preamble); at + sizeof(EntryHead) <= bytes.size(); at += 8) {
    EntryHead head;
    std::memcpy(&head, bytes.data() + at, sizeof head);
    if (head.length < sizeof head || head.length > bytes.size() - at ||
        head.payload > head.length - sizeof head ||
        head.crc != crc32c(std::string_view(bytes).substr(at + 8, head.length - 8)))
      continue;
    (head.kind == 2 ? found.sets : found.names)[head.number] =
        bytes.substr(at + sizeof head, head.payload);
  }
  return found;
}

Result<void> KeywordTable::sync() { return fd_ ? fs().sync_data(fd_.get()) : Result<void>(); }

void KeywordTable::forget() { *this = KeywordTable(path_); }

}  // namespace postern::store
