// What is announced, when, and which text defines it.
#pragma once

#include <string>

#include "imapd/context.h"

namespace postern::imap {

/// The list behind "CAPABILITY " for the session's present state.
std::string capabilities(const Context& ctx);
/// The same for a greeting.
std::string greeting_capabilities(const auth::Authenticator& auth, const Options& options, bool tls,
                                  bool loopback);

}  // namespace postern::imap
