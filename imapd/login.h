// What LOGIN and AUTHENTICATE share: the end of a login, well or badly.
#pragma once

#include <cstdint>
#include <string_view>

#include "imapd/command/command.h"
#include "imapd/context.h"
#include "lib/auth/auth.h"

namespace postern::imap {

auth::Channel channel_of(const Context& ctx);
/// The session becomes `login`'s; makes a new user's mailboxes if that is wanted.
Completion logged_in(Context& ctx, const auth::Login& login);
/// Grows when a user's password or state changes; sessions of an older one end when they wake. A
/// metad that doesn't answer ends nobody's session: then it is the session's own.
std::uint64_t generation_of(const Context& ctx, const meta::UserName& user);
/// NO, later: the delay grows with the failures of this address and user, and costs no worker.
Completion login_refused(Context& ctx, std::string_view mechanism, std::string_view user,
                         const Error& error);

}  // namespace postern::imap
