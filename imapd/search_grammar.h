// search-key of RFC 9051 §6.4.4 and its extensions, into a program of lib/search.
#pragma once

#include <string>
#include <vector>

#include "imapd/connection.h"
#include "imapd/cursor.h"
#include "imapd/number_set.h"
#include "lib/base/result.h"
#include "lib/search/program.h"

namespace postern::imap {

/// A program with the sets that only the selected mailbox can resolve left out: they stand in
/// `sets`, and in the tree are keys whose `number` is an index into it.
struct SearchProgram {
  search::Key key;
  struct Set {
    NumberSet numbers;
    bool uid = false;
  };
  std::vector<Set> sets;
  std::string charset;  // of the strings, as the client named it; "" is UTF-8
};

/// ["CHARSET" SP charset SP] search-key *(SP search-key)
/// Depth is limited to 100 levels.
Result<SearchProgram> parse_search_program(Cursor& in);

/// Marks of keys that need the session: \Recent.
inline constexpr std::string_view kRecentKey = "\\Recent";

}  // namespace postern::imap
