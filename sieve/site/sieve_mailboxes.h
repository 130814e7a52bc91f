// The mailboxes that a user's script may name, and the ones that it may deliver into.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/meta/acl.h"
#include "lib/meta/meta.h"
#include "lib/meta/namespace.h"
#include "lib/store/store.h"
#include "sieve/action.h"

namespace postern::site {

class SieveMailboxes {
 public:
  /// `autocreate`: sieve.autocreate.
  SieveMailboxes(store::Store& store, meta::Meta& meta, const meta::Identity& user,
                 const meta::NamespacePrefixes& prefixes, bool autocreate);

  /// Own mailboxes, and others that grant the user the right p.
  /// @error no_such_mailbox  also where the user may not look it up
  /// @error no_permission, bad_syntax
  Result<meta::MailboxEntry> named(std::string_view name) const;
  /// By MAILBOXID (RFC 8474). Errors as above.
  Result<meta::MailboxEntry> with_id(std::string_view id) const;
  /// The first of the user's own in the order of names. @error no_such_mailbox
  Result<meta::MailboxEntry> with_special_use(std::string_view use) const;
  /// Where fileinto delivers: by id, else by special use (RFC 8579 §4), else by name; made where
  /// the script or the site says so. Errors as above, and those of making a mailbox.
  Result<meta::MailboxEntry> place(const sieve::Target& target) const;

  /// The name alone, with or without a mailbox. @error bad_syntax, no_such_mailbox
  [[nodiscard]] Result<meta::MailboxName> name_of(std::string_view name) const {
    return names_.to_internal(name);
  }
  [[nodiscard]] const meta::UserName& user() const { return names_.who().user; }

 private:
  Result<meta::MailboxEntry> deliverable(meta::MailboxEntry entry) const;
  Result<meta::MailboxEntry> make(const sieve::Target& target) const;

  store::Store& store_;
  meta::Meta& meta_;
  meta::Namespace names_;
  bool autocreate_;
};

/// Whether the space-separated attributes `uses` have `use`, in any case (RFC 6154 §2).
bool has_special_use(std::string_view uses, std::string_view use);

}  // namespace postern::site
