// Addresses of RFC 5322 §3.4 with the obsolete syntax of §4.4 and the UTF-8 of RFC 6532.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::mime {

/// One element of an address list, quoting removed, encoded-words and 8-bit octets left as they
/// are. Groups appear as IMAP shows them: a start, their members, an end (RFC 3501 §7.4.2).
struct Address {
  enum class Kind : std::uint8_t { mailbox, group_start, group_end };

  Kind kind = Kind::mailbox;
  bool has_name = false;
  bool has_domain = false;  // "root" alone has none
  std::string name;         // display name; of "a@b (Name)" the comment; of a group start its name
  std::string route;        // obsolete source route "@x,@y", else empty
  std::string local_part;   // without quotes: `"a b"@c` gives `a b`
  std::string domain;       // literals with their brackets

  /// local-part@domain, quoted where it must be; the local part alone without a domain.
  [[nodiscard]] std::string addr_spec() const;
  friend bool operator==(const Address&, const Address&) = default;
};

/// Best effort on junk: a text that is no address becomes a mailbox with what was found.
/// At most `limit` elements, 3 or more; the rest is ignored.
std::vector<Address> parse_address_list(std::string_view value, std::size_t limit = 65'536);

/// `text` in quotes (RFC 5322 §3.2.4).
std::string quoted_string(std::string_view text);

}  // namespace postern::mime
