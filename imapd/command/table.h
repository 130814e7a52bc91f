// The table of commands: see table.cpp.
#pragma once

#include <span>
#include <string_view>

#include "imapd/command/command.h"

namespace postern::imap {

std::span<const Command> commands();
/// By the name in capitals, "UID FETCH" for the uid form; null when there is none.
const Command* find_command(std::string_view name);

}  // namespace postern::imap
