// What a mailbox is for: \Sent, \Trash, … (RFC 6154 §2, RFC 8457).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "imapd/context.h"

namespace postern::imap {

/// The annotation that is tied to it (RFC 6154 §4).
inline constexpr std::string_view kSpecialUseEntry = "/private/specialuse";

/// `uses` as a list entry keeps them: each in its usual case, separated by spaces.
/// @error not_supported  one isn't known; the response code is USEATTR (RFC 6154 §3)
Result<std::string> known_special_uses(Context& ctx, const std::vector<std::string>& uses);

}  // namespace postern::imap
