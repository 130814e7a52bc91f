// The capabilities of the language (RFC 5228 §6.2): the table behind `require`, `ihave` and
// ManageSieve's SIEVE line.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace postern::sieve {

enum class Cap : std::uint8_t {
  none,  // the base language
  body,
  comparator_ascii_casemap,
  comparator_ascii_numeric,
  comparator_octet,
  comparator_unicode_casemap,
  copy,
  date,
  duplicate,
  editheader,
  enclose,
  encoded_character,
  enotify,
  envelope,
  envelope_deliverby,
  envelope_dsn,
  environment,
  ereject,
  extlists,
  extracttext,
  fcc,
  fileinto,
  foreverypart,
  ihave,
  imap4flags,
  imapsieve,
  include,
  index,
  mailbox,
  mailboxid,
  mboxmetadata,
  mime,
  redirect_deliverby,
  redirect_dsn,
  regex,
  reject,
  relational,
  replace,
  servermetadata,
  snooze,
  spamtest,
  spamtestplus,
  special_use,
  subaddress,
  vacation,
  vacation_seconds,
  variables,
  virustest,
  vnd_debug,
  vnd_environment,
  vnd_pipe,
};

/// The capabilities that a script has required.
class CapSet {
 public:
  void add(Cap cap) { bits_ |= bit(cap); }
  void remove(Cap cap) { bits_ &= ~bit(cap); }
  [[nodiscard]] bool has(Cap cap) const { return cap == Cap::none || (bits_ & bit(cap)) != 0; }

 private:
  static constexpr std::uint64_t bit(Cap cap) { return 1ULL << static_cast<unsigned>(cap); }
  std::uint64_t bits_ = 0;
};
static_assert(static_cast<unsigned>(Cap::vnd_pipe) < 64, "CapSet is one word");

struct CapabilityRow {
  std::string_view name;  // as `require` wants it
  Cap cap;
  std::string_view source;  // the text that defines it
  bool announced = true;    // false: accepted for old scripts only
};

/// All rows, sorted by name. A capability may have several names (old ones of Cyrus).
std::span<const CapabilityRow> capabilities();
/// The capability called `name`; names are case-sensitive (RFC 5228 §3.2).
std::optional<Cap> find_capability(std::string_view name);
/// The announced name of `cap`, for diagnostics.
std::string_view name_of(Cap cap);

}  // namespace postern::sieve
