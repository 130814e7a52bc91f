// The header file of a mailbox: its entry of the mailboxes list, so that the list can be rebuilt
// from the spool. metad is right about names; this copy follows. doc/format.md, "Header".
#pragma once

#include <string>

#include "lib/meta/meta.h"

namespace postern::store {

enum class HeaderState : std::uint8_t { creating = 1, live = 2 };

struct Header {
  meta::MailboxEntry entry;
  HeaderState state = HeaderState::live;
};

std::string encode_header(const Header& header);
/// @error corrupt
Result<Header> decode_header(std::string_view bytes, std::string_view path);
/// Durable on return.
Result<void> write_header(const std::string& directory, const Header& header);
/// @error corrupt, no_such_object
Result<Header> read_header_file(const std::string& directory);

}  // namespace postern::store
