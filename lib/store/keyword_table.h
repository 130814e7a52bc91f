// KeywordTable: the names of a mailbox's keywords by number, and the sets of keywords over 63 that
// rows refer to. Append-only; doc/format.md, "Keywords".
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/fd.h"
#include "lib/base/text.h"
#include "lib/store/format.h"

namespace postern::store {

class KeywordTable {
 public:
  explicit KeywordTable(std::string path) : path_(std::move(path)) {}

  /// Reads what `state` has beyond what is known already.
  /// @error corrupt
  Result<void> refresh(const State& state);
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  [[nodiscard]] std::optional<std::uint16_t> find(std::string_view name) const;
  /// Set 0 is the empty one. Numbers ascending.
  [[nodiscard]] const std::vector<std::uint16_t>& set(std::uint32_t number) const;
  [[nodiscard]] std::optional<std::uint32_t> find_set(
      const std::vector<std::uint16_t>& keywords) const;

  /// The octets of an entry in the file, to be written at `at` (apply() does, before the state that
  /// counts it is published).
  static std::string entry(bool is_set, std::uint32_t number, std::string_view bytes);
  Result<void> write_entry(std::uint64_t at, std::string_view entry, const MailboxId& mailbox,
                           std::string_view partition);
  Result<void> sync();
  void forget();
  /// Payloads of the sound entries of a damaged file, by number.
  struct Contents {
    std::map<std::uint32_t, std::string> names, sets;
  };
  static Contents salvage(const std::string& path);
  static std::string encode_set(const std::vector<std::uint16_t>& keywords);

 private:
  Result<void> open(bool create);
  Result<void> take(std::string_view bytes);

  std::string path_;
  Fd fd_;
  std::uint64_t end_ = sizeof(Preamble);
  std::vector<std::string> names_;
  std::map<std::string, std::uint16_t, ILess> numbers_;  // keywords ignore case, RFC 9051 §2.3.2
  std::vector<std::vector<std::uint16_t>> sets_{{}};
  std::map<std::vector<std::uint16_t>, std::uint32_t> set_numbers_;
};

}  // namespace postern::store
