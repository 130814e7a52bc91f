// What a client of one user calls a mailbox, and back (RFC 2342): the user's own tree at the top
// level with INBOX, other users' under "Other Users/", everything else under "Shared Folders/".
// Administrators see "user/anna/Sent@example.org" and shared mailboxes as they are.
//
// A mailbox of another domain shows its domain behind the user or the first shared level:
// "Other Users/bob@other.org/Box", "Shared Folders/news@other.org/announce".
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/config/config.h"
#include "lib/meta/acl.h"
#include "lib/meta/name.h"

namespace postern::meta {

/// The first levels, without the separator.
struct NamespacePrefixes {
  std::string other_users = "Other Users";
  std::string shared = "Shared Folders";

  /// From the options namespace.other_users and namespace.shared.
  static NamespacePrefixes from(const config::Config& config);
};

class Namespace {
 public:
  Namespace(Identity who, NamespacePrefixes prefixes = {});

  /// `client` is UTF-8, levels joined by '/'. INBOX is known in any case, also as a first level.
  /// @error bad_syntax       no mailbox name
  /// @error no_such_mailbox  only a prefix: "Other Users", "Shared Folders"
  [[nodiscard]] Result<MailboxName> to_internal(std::string_view client) const;
  /// to_internal() undoes it.
  [[nodiscard]] std::string to_client(const MailboxName& name) const;

  /// "Other Users/", "Shared Folders/": for NAMESPACE and for LIST of the prefixes themselves. An
  /// administrator has "user/" and "".
  [[nodiscard]] std::string other_users_prefix() const;
  [[nodiscard]] std::string shared_prefix() const;
  [[nodiscard]] const Identity& who() const { return who_; }

 private:
  [[nodiscard]] Result<MailboxName> personal(std::string_view client) const;
  [[nodiscard]] Result<MailboxName> of_other_user(std::string_view rest) const;
  [[nodiscard]] Result<MailboxName> of_shared(std::string_view rest) const;
  [[nodiscard]] std::string with_domain(std::string_view level, std::string_view domain) const;

  Identity who_;
  NamespacePrefixes prefixes_;
};

}  // namespace postern::meta
