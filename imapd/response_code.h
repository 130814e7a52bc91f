// What IMAP says about each kind of error: the code (RFC 5530 §3) and a sentence.
#pragma once

#include <string_view>

#include "lib/base/result.h"

namespace postern::imap {

/// "NONEXISTENT"; "" where no code fits.
std::string_view response_code(Errc code);
/// For people. Never holds a path, an address or another user's name.
std::string_view sentence(Errc code);

}  // namespace postern::imap
