// Mailbox and user names as the server knows them, and a mailbox name as metad's key.
// Wire forms (modified UTF-7, quoted UTF-8) belong to imapd; what a client of one user sees
// ("INBOX", "Other Users/…") to lib/meta/namespace.h.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace postern::meta {

/// "anna" or "anna@example.org": lower case, NFC, 1..255 octets; only ASCII letters are
/// folded. The local part has no '/', '%', '*', '@', '+' (the separator of user+Mailbox), control
/// character or white space, doesn't begin with '.' or '-' and isn't "anyone" or "anonymous".
class UserName {
 public:
  UserName() = default;  // nobody
  /// Canonical form of what a peer sent.
  /// @error bad_syntax  empty, too long or with a forbidden character
  static Result<UserName> from_utf8(std::string_view text);
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] std::string_view local() const;
  [[nodiscard]] std::string_view domain() const;  // "" without one
  [[nodiscard]] bool empty() const { return text_.empty(); }
  friend auto operator<=>(const UserName&, const UserName&) = default;

 private:
  std::string text_;
};

/// A mailbox of the whole server: UTF-8 in NFC, levels joined by '/', then '@domain' if it has one.
/// A user's tree is "user/anna" (INBOX), "user/anna/Sent"; every other first level is shared.
/// At most 1,000 octets and 50 levels.
class MailboxName {
 public:
  MailboxName() = default;
  /// The administrator's form: "user/anna/Sent@example.org", "news/announce". What follows the last
  /// '@' is the domain unless it has a '/'; a name without a domain whose last level has an '@'
  /// ends with another one. "user" alone is a name (roots of LIST) that create() refuses.
  /// @error bad_syntax  not UTF-8, an empty level, '%', '*', a control character, too long, or
  ///                    "user/X" where X is no user name
  static Result<MailboxName> from_utf8(std::string_view text);
  static MailboxName inbox_of(const UserName& user);
  /// `level` may hold several levels: "Lists/dev".
  [[nodiscard]] Result<MailboxName> child(std::string_view level) const;

  [[nodiscard]] const std::string& path() const { return path_; }      // "user/anna/Sent"
  [[nodiscard]] const std::string& domain() const { return domain_; }  // "" without one
  [[nodiscard]] std::string text() const;                              // path[@domain]
  /// Whose tree it is in; empty for a shared mailbox.
  [[nodiscard]] UserName owner() const;
  /// owner() == user, without making one; never for an empty user.
  [[nodiscard]] bool is_owned_by(const UserName& user) const;
  [[nodiscard]] bool is_inbox() const;                          // "user/x" itself
  [[nodiscard]] bool is_within(const MailboxName& root) const;  // root itself counts
  /// The name without its last level; an empty path at the top.
  [[nodiscard]] MailboxName parent() const;
  [[nodiscard]] bool empty() const { return path_.empty(); }

  /// Key of the mailboxes list: domain, NUL, path with '/' as 0x01, so that a tree is one run of
  /// keys and a parent comes directly before its inferiors.
  [[nodiscard]] std::string key() const;
  static Result<MailboxName> from_key(std::string_view key);
  /// In the order of key().
  friend std::strong_ordering operator<=>(const MailboxName& a, const MailboxName& b) {
    return a.key() <=> b.key();
  }
  friend bool operator==(const MailboxName&, const MailboxName&) = default;

 private:
  std::string domain_;
  std::string path_;
};

}  // namespace postern::meta
