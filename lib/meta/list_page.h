// ListPage: a part of a LIST as it travels from the tables to whoever asked. metad copies rows as
// they are stored; the asker decodes them and applies the rights, so a LIST of 5,000 names keeps
// metad busy for the copying only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/meta/meta.h"

namespace postern::meta {

struct ListPage {
  std::string rows;  // repeated: name key and stored value, each with a 32-bit length
  bool more = false;
  std::string last;  // the key to go on after, if there is more
};

/// Appends the mailboxes of `page` that `who` may look up (right l) to `out`.
/// @error corrupt
Result<void> read_page(const ListPage& page, const Identity& who, std::vector<ListedMailbox>& out);

constexpr std::uint32_t kPageRows = 10000;

/// All that `get_page(after)` gives, page by page.
template <typename GetPage>
Result<std::vector<ListedMailbox>> read_pages(const Identity& who, GetPage get_page) {
  std::vector<ListedMailbox> out;
  ListPage page;
  do {
    page = TRY(get_page(page.last));
    TRY(read_page(page, who, out));
  } while (page.more);
  return out;
}

/// The rows of look_up(): for each name the stored value, empty where there is none, and an octet
/// that says whether there are children.
/// @error corrupt
Result<std::vector<LookedUp>> read_looked_up(std::string_view rows, const Identity& who,
                                             const std::vector<MailboxName>& names);

}  // namespace postern::meta
