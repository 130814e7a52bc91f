// Access control lists (RFC 4314) and their evaluation.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/meta/name.h"

namespace postern::meta {

/// RFC 4314 §2.1. The obsolete c and d are read as k, x and as t, e (RFC 4314 §2.1.1, the first of
/// its two conventions).
enum class Right : std::uint32_t {
  lookup = 1 << 0,          // l
  read = 1 << 1,            // r
  seen = 1 << 2,            // s
  write = 1 << 3,           // w: flags other than \Seen and \Deleted
  insert = 1 << 4,          // i
  post = 1 << 5,            // p
  create = 1 << 6,          // k
  delete_mailbox = 1 << 7,  // x
  delete_message = 1 << 8,  // t: the flag \Deleted
  expunge = 1 << 9,         // e
  administer = 1 << 10,     // a
  annotate = 1 << 11,       // n (RFC 5257 §4.2)
};

class Rights {
 public:
  constexpr Rights() = default;
  constexpr Rights(Right right)
      : bits_(static_cast<std::uint32_t>(right)) {}  // NOLINT(google-explicit-constructor)
  static constexpr Rights all() { return from_bits(0xFFF); }
  static constexpr Rights from_bits(std::uint32_t bits) {
    Rights r;
    r.bits_ = bits & 0xFFF;
    return r;
  }
  /// "lrswipkxtea" in any order, c and d too; @error bad_syntax an unknown letter
  static Result<Rights> from_text(std::string_view letters);
  /// In the order lrswipkxtean, followed by c and d where RFC 4314 §2.1.1 asks for them.
  [[nodiscard]] std::string text(bool with_obsolete = true) const;
  [[nodiscard]] constexpr bool has(Right right) const {
    return (bits_ & static_cast<std::uint32_t>(right)) != 0;
  }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  [[nodiscard]] constexpr std::uint32_t bits() const { return bits_; }
  friend constexpr Rights operator|(Rights a, Rights b) { return from_bits(a.bits_ | b.bits_); }
  friend constexpr Rights operator-(Rights a, Rights b) { return from_bits(a.bits_ & ~b.bits_); }
  friend constexpr bool operator==(Rights, Rights) = default;

 private:
  std::uint32_t bits_ = 0;
};
constexpr Rights operator|(Right a, Right b) { return Rights(a) | Rights(b); }

/// Who asks: a user, the groups it is in ("group:staff"), and whether it administers the server.
struct Identity {
  UserName user;
  std::vector<std::string> groups = {};
  bool admin = false;
  bool anonymous = false;
};

/// The stored form of what a client calls an identifier: "anyone", "anonymous", "group:…" as they
/// are, anything else as a user name; a leading '-' stays.
/// @error bad_syntax
Result<std::string> canonical_identifier(std::string_view text);

/// One line: "anna", "anyone", "anonymous", "group:staff", each also with a leading '-' (negative).
struct AclEntry {
  std::string identifier;
  Rights rights;
  friend bool operator==(const AclEntry&, const AclEntry&) = default;
};

class Acl {
 public:
  /// What a mailbox has that nobody gave an ACL: the owner everything, nobody else anything.
  static Acl standard_for(const MailboxName& mailbox);
  [[nodiscard]] std::span<const AclEntry> entries() const { return entries_; }
  /// Replaces the rights of `identifier`; empty rights remove the line.
  void set(std::string_view identifier, Rights rights);
  /// RFC 4314 §2: union of all matching lines, minus the union of the matching negative ones. The
  /// owner of the tree always keeps l and a, an admin l, k, x and a. "anyone" and groups count in
  /// mailboxes of one's own domain and in those without a domain.
  [[nodiscard]] Rights rights_of(const Identity& who, const MailboxName& mailbox) const;
  /// Stored form, also in headers: "anna\tlrswipkxtea\tanyone\tp\t".
  [[nodiscard]] std::string text() const;
  static Result<Acl> from_text(std::string_view text);
  friend bool operator==(const Acl&, const Acl&) = default;

 private:
  std::vector<AclEntry> entries_;
};

}  // namespace postern::meta
