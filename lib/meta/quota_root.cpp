#include "lib/meta/quota_root.h"

namespace postern::meta {

Result<void> check_quota_root(Meta& meta, const MailboxName& root) {
  const auto known = meta.quota(root);
  if (known) return {};
  if (known.error().code != Errc::no_such_object) return known.error();
  TRY(meta.lookup(root));
  return {};
}

}  // namespace postern::meta
