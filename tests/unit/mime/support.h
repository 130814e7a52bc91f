// What the tests of lib/mime share: messages from lines, parts as one readable string, and a
// checker for the wire forms that knows nothing of the writer.
#pragma once

#include <string>
#include <string_view>

#include "lib/mime/message.h"

namespace postern::mime::testing {

/// Each LF as CRLF.
std::string crlf(std::string_view text);

/// "multipart/mixed[text/plain text/html]"
std::string tree(const Message& message, std::uint32_t part = 0);

/// Whether `octets` is exactly one `envelope`, or one `body` of RFC 3501 §9 (in its utf8 form with
/// RFC 9051's changes). Returns what is wrong, or "".
std::string check_envelope(std::string_view octets, bool utf8 = false);
std::string check_body(std::string_view octets, bool extensible, bool utf8 = false);

/// The invariants of a parsed message: ranges inside their parents, in order, linked both ways.
/// Returns what is wrong, or "".
std::string check_structure(const Message& message);

}  // namespace postern::mime::testing
