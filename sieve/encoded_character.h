// ${hex:24 2b} and ${unicode:40} in strings (RFC 5228 §2.4.2.4).
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace postern::sieve {

/// What has not exactly the form of an encoded character stays as it is.
/// @error bad_syntax  a code point that is no Unicode scalar value, or octets that are not UTF-8
Result<std::string> decode_encoded_characters(std::string_view text);

}  // namespace postern::sieve
