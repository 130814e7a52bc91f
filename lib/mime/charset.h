// Character sets to UTF-8, normalisation and case mapping, with ICU. ICU's first use costs 8 ms:
// warm_up() belongs into the fork server.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace postern::mime {

/// Loads the tables that the functions below need.
void warm_up();

/// Octets of `charset` (any case, aliases as of IANA and ICU; "" is us-ascii) as UTF-8. What isn't
/// valid becomes U+FFFD. Text that calls itself us-ascii and has octets over 127 is taken as UTF-8
/// if it is that, else as windows-1252.
/// @error not_supported  an unknown charset
Result<std::string> to_utf8(std::string_view charset, std::string_view bytes);
/// The same; an unknown charset is taken as UTF-8 if it is that, else as windows-1252.
std::string to_utf8_or_guess(std::string_view charset, std::string_view bytes);
/// For SEARCH CHARSET: whether to_utf8 knows it.
bool charset_known(std::string_view charset);

/// Unicode Normalization Form C; for mailbox names and other short texts.
/// @error bad_syntax  not UTF-8
/// @error too_big     over 16 MiB
Result<std::string> to_nfc(std::string_view utf8);

/// The prepared form of i;unicode-casemap: titlecase, then decomposed (RFC 5051 §2). Compare or
/// search the results as octets. What is not UTF-8 stays as it is.
std::string casemap(std::string_view text);

}  // namespace postern::mime
