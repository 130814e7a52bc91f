// Reading a password from the terminal, unseen, or from standard input.
#pragma once

#include <string_view>

#include "lib/auth/secret.h"
#include "lib/base/result.h"

namespace postern::tools {

/// One line of standard input; where that is a terminal, `whose` is asked and nothing shown.
/// @error bad_syntax  nothing there
Result<auth::Secret> read_password(std::string_view whose);

}  // namespace postern::tools
