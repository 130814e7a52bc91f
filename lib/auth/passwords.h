// The embedded password database (sasldb): what `postern user` does. Writers work on a copy that
// is renamed over the database, so that readers in other processes never see half of a change.
#pragma once

#include <vector>

#include "lib/auth/secret.h"
#include "lib/base/result.h"
#include "lib/config/config.h"
#include "lib/meta/name.h"

namespace postern::auth {

/// Makes the user or changes the password.
/// @error in_use  another writer holds the database for longer than 10 s
/// @error io
Result<void> set_password(const config::Config& config, const meta::UserName& user,
                          const Secret& password);
/// @error no_such_user, in_use, io
Result<void> erase_password(const config::Config& config, const meta::UserName& user);
/// In the order of names; none if there is no database yet.
/// @error io, corrupt
Result<std::vector<meta::UserName>> list_passwords(const config::Config& config);

}  // namespace postern::auth
