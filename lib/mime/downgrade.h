// The surrogate of a message for clients that take no UTF-8 in headers (RFC 6855 §7, RFC 6858):
// what stands there instead of which octets. Everything else is sent as it is stored.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/mime/message.h"

namespace postern::mime {

/// Octets of a message, and what the surrogate has in their place: whole header fields with their
/// line ends, or nothing where the field is left out.
struct Edit {
  Range range;
  std::string text;  // ASCII
};

/// The edits for all header fields with UTF-8 in them, of the message, its parts and the messages
/// inside it; ascending. Fields with octets over 127 that are not UTF-8 are no internationalized
/// ones (RFC 6532) but old mail, and stay as they are. Bodies are never touched.
std::vector<Edit> downgrade(const Message& message);

/// The octets of `range` after the edits, in pieces; no edit may lie half inside. Each piece begins
/// where the range, a field, or a line behind a field does. They borrow `bytes` and `edits`.
std::vector<std::string_view> pieces(std::string_view bytes, Range range,
                                     std::span<const Edit> edits);

}  // namespace postern::mime
