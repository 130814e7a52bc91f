// The cache: for each message the wire forms that FETCH answers, the header fields that clients ask
// for, and the offsets of its sections. Derived: a record that isn't sound is built again from the
// message. doc/format.md, "Cache".
#pragma once

#include <string>
#include <string_view>

#include "lib/base/fd.h"
#include "lib/store/format.h"
#include "lib/store/mailbox.h"

namespace postern::store {

struct BuiltFacts {
  std::string record;  // as it stands in the file; names no uid and no mailbox, so COPY may take it
  std::optional<std::int64_t> sent_date;  // of the Date field
};
BuiltFacts build_cache_record(std::string_view message, const Guid& guid);
/// Pointers into `record`; nothing if it isn't the sound record of `guid`.
std::optional<CachedFacts> open_cache_record(std::string_view record, const Guid& guid,
                                             bool verified);

class CacheFile {
 public:
  explicit CacheFile(std::string path) : path_(std::move(path)) {}
  CacheFile(const CacheFile&) = delete;
  CacheFile& operator=(const CacheFile&) = delete;
  ~CacheFile();

  /// The record at `offset` up to its own length, borrowed from the map; empty when there is none.
  /// Records never move while the file is open here.
  std::string_view read(std::uint64_t offset);
  /// Asks the processor for the head of the record at `offset` and for what follows it, commonly
  /// the ENVELOPE. Any offset will do; pages that aren't mapped yet stay so. Always inline: GCC 12
  /// takes a function that does nothing but prefetch for one without effect and drops its calls.
  [[gnu::always_inline]] void prefetch(std::uint64_t offset) const {
    constexpr std::uint64_t kOctets = 448, kCacheLine = 64;
    if (offset > mapped_ || mapped_ - offset < kOctets) return;
    for (std::uint64_t at = 0; at < kOctets; at += kCacheLine)
      __builtin_prefetch(base_ + offset + at);
  }
  /// Under the mailbox lock: writes records one behind the other from state.cache_end on, which
  /// moves. Gives the offset of the first.
  Result<std::uint64_t> append(State& state, std::string_view records, const MailboxId& mailbox,
                               std::string_view partition);
  void forget();
  /// fdatasync: what any process wrote before survives power loss. Nothing to do without a file.
  Result<void> sync();
  /// A session pauses: pages of a large cache that it walked through no longer count as this
  /// process's memory (measured: 33 MB after the envelopes of 10,000 messages, 1 MB without).
  void let_go_of_pages();

 private:
  bool open_existing();
  bool cover(std::uint64_t end);

  std::string path_;
  Fd fd_;
  char* base_ = nullptr;
  std::uint64_t mapped_ = 0;
  std::uint64_t size_ = 0;
  std::vector<std::pair<char*, std::uint64_t>> old_maps_;  // facts may still point into them
};

}  // namespace postern::store
