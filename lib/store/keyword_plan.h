// KeywordPlan: turns keyword names into numbers within a change, defining new ones in its batch.
// Internal to lib/store.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "lib/store/files.h"

namespace postern::store {

/// Keywords of a message by number: 0..63 as bits, the rest ascending.
struct KeywordBits {
  std::uint64_t low = 0;
  std::vector<std::uint16_t> more;
};

class KeywordPlan {
 public:
  KeywordPlan(Change& change, MailboxFiles& files) : change_(change), files_(files) {}

  /// @param define  unknown names get a number; otherwise they are left out
  /// @error limit   the table is full
  Result<KeywordBits> resolve(std::span<const std::string> names, bool define);
  /// The number of such a set, defining it if need be; 0 for the empty one.
  std::uint32_t intern(const std::vector<std::uint16_t>& keywords);

 private:
  std::uint64_t place(std::size_t entry_size);

  Change& change_;
  MailboxFiles& files_;
  std::map<std::string, std::uint16_t, ILess> fresh_;
  std::map<std::vector<std::uint16_t>, std::uint32_t> fresh_sets_;
  std::uint64_t end_ = 0;
};

}  // namespace postern::store
