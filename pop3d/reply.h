// What POP3 says about each kind of error (RFC 2449 §8, RFC 3206).
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace postern::pop3d {

/// "-ERR [SYS/TEMP] …\r\n": code and sentence from the kind of error, never its text.
std::string reply_to(Errc code);

}  // namespace postern::pop3d
