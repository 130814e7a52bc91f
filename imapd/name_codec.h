// Mailbox names on the wire: modified UTF-7 (RFC 3501 §5.1.3), or UTF-8 once the client has
// enabled it (RFC 6855 §3, RFC 9051 §5.1). Inside they are UTF-8.
#pragma once

#include <string>
#include <string_view>

#include "imapd/cursor.h"
#include "lib/base/result.h"

namespace postern::imap {

/// What a client sent, as UTF-8. Raw UTF-8 is taken in both forms.
/// @error bad_syntax  a broken shift sequence, or neither form
Result<std::string> decode_name(std::string_view wire, NameForm form);

/// A name for an answer, as an astring: an atom where it can be, else quoted, else a literal.
std::string encode_name(std::string_view utf8, NameForm form);

/// The octets of the wire form alone.
std::string to_modified_utf7(std::string_view utf8);
/// @error bad_syntax  as RFC 3501 §5.1.3: not canonical base64, printable ASCII inside, half a
///                    surrogate pair, superfluous shifts are tolerated
Result<std::string> from_modified_utf7(std::string_view wire);

}  // namespace postern::imap
