// The export of what only the metadata knows, so that a lost database can be rebuilt: user.json in
// each user's directory of the partition, and site.json in the default partition for what belongs
// to no user. doc/format.md, "Exports". Mailboxes are in the headers of their directories.
#pragma once

#include <cstddef>

#include "lib/base/result.h"
#include "lib/config/config.h"
#include "lib/meta/meta.h"

namespace postern::tools {

/// Brings up to date what changed since the last time, says the metadata. Gives how many files were
/// touched.
Result<std::size_t> export_due(meta::Meta& meta, const config::Config& config);
/// The same for all users, and whatever files of others there are: looks at everything.
Result<std::size_t> export_users(meta::Meta& meta, const config::Config& config);
/// site.json: looks at every mailbox.
Result<void> export_site(meta::Meta& meta, const config::Config& config);

struct Imported {
  std::size_t users = 0;
  std::size_t unreadable = 0;
};
/// Brings back users that the database doesn't know, with subscriptions, quota roots and
/// annotations; then site.json where the database has no quota root of that name. What the database
/// has is right. Mailboxes come first: annotations need them.
Result<Imported> import_all(meta::Meta& meta, const config::Config& config);

}  // namespace postern::tools
