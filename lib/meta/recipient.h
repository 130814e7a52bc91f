// From an address to a mailbox: what LMTP, Sieve and plus-addressing share. An address is
// user, user@domain, user+Mailbox@domain (a mailbox of the user's own tree) or
// +news/announce@domain (a shared mailbox; also postuser+news/announce where an MTA dislikes an
// empty name).
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/meta/acl.h"
#include "lib/meta/meta.h"
#include "lib/meta/name.h"

namespace postern::meta {

struct AddressRules {
  std::string default_domain;  // taken off: anna@example.org is anna (auth.default_domain)
  std::string post_user;       // "bb": bb+news is the shared mailbox news (namespace.post_user)
};

/// "anna+Lists/dev@example.org" in two: "anna@example.org" and "Lists/dev".
struct Subaddress {
  std::string user;
  std::string detail;
};
Subaddress split_detail(std::string_view address);

struct Recipient {
  UserName user;       // empty: a shared mailbox
  std::string domain;  // of the address, without the default domain
  std::string detail;  // mailbox in the user's tree, or the shared one; UTF-8; may be empty
};

/// `address` without angle brackets and quotes, UTF-8.
/// @error bad_syntax
Result<Recipient> parse_recipient(std::string_view address, const AddressRules& rules);

/// The canonical name of a user who calls itself `text`.
/// @error bad_syntax
Result<UserName> canonical_user(std::string_view text, std::string_view default_domain);

/// The mailbox to deliver to. A detail counts if that mailbox exists and grants `sender` the right
/// p, otherwise it is the user's INBOX.
/// @error no_such_user     the user has no INBOX (the caller may make one and ask again)
/// @error no_such_mailbox  no such shared mailbox, or `sender` may not know of it
/// @error no_permission    a shared mailbox that doesn't grant p
Result<MailboxEntry> resolve_recipient(Meta& meta, const Recipient& recipient,
                                       const Identity& sender);

/// What a new mailbox starts with: the ACL of its nearest ancestor, or Acl::standard_for.
Result<Acl> inherited_acl(Meta& meta, const MailboxName& name);

}  // namespace postern::meta
