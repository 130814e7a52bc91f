// The rules of RFC 9051 §9 that several commands share, one function for each. What only one
// command uses stands in that command's file. All fail with bad_syntax and a text for the client.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "imapd/cursor.h"
#include "imapd/number_set.h"
#include "lib/base/ids.h"
#include "lib/base/result.h"
#include "lib/store/types.h"

namespace postern::imap {

/// A literal's head: "{123}" or "{123+}", with "~" before it for a literal8 (RFC 3516 §4.4).
struct LiteralHead {
  std::uint64_t size = 0;
  bool synchronizing = true;  // false: "+" (RFC 7888)
  bool binary = false;
};
/// The head with which `line` (without CRLF) ends, if it does. For the framer.
std::optional<LiteralHead> literal_head_at_end(std::string_view line);

Result<std::string_view> parse_tag(Cursor& in);
Result<std::string_view> parse_atom(Cursor& in);
Result<std::string> parse_string(Cursor& in);
Result<std::string> parse_astring(Cursor& in);
/// nothing for NIL
Result<std::optional<std::string>> parse_nstring(Cursor& in);
Result<std::uint32_t> parse_number(Cursor& in);
Result<std::uint32_t> parse_nz_number(Cursor& in);
Result<std::uint64_t> parse_number64(Cursor& in);
/// mod-sequence-valzer: 63 bits, 0 allowed (RFC 7162 §7)
Result<ModSeq> parse_modseq(Cursor& in);
Result<NumberSet> parse_sequence_set(Cursor& in);
/// Without "$": for commands that take only written uids.
Result<NumberSet> parse_uid_set(Cursor& in);

/// The name in UTF-8; INBOX in any case becomes "INBOX" (RFC 9051 §5.1). Not checked further.
Result<std::string> parse_mailbox(Cursor& in);
/// list-mailbox: a pattern with "*" and "%", in UTF-8.
Result<std::string> parse_list_mailbox(Cursor& in);

/// One flag: a system flag of ours, or a keyword. \Recent is not a client's to set.
Result<void> parse_flag(Cursor& in, store::NamedFlags& into);
/// "(" flags ")"
Result<store::NamedFlags> parse_flag_list(Cursor& in);

/// date = DQUOTE date-text DQUOTE / date-text. Gives days since 1970-01-01.
Result<std::int64_t> parse_date(Cursor& in);

struct DateTime {
  std::int64_t utc_seconds = 0;
  std::int16_t zone_minutes = 0;
};
Result<DateTime> parse_date_time(Cursor& in);
/// "17-Jul-1996 02:44:25 -0700", with quotes; without an allocation.
struct DateText {
  std::array<char, 28> octets;
  operator std::string_view() const {  // NOLINT(google-explicit-constructor)
    return {octets.data(), octets.size()};
  }
};
DateText format_date_time(std::int64_t utc_seconds, std::int16_t zone_minutes);

/// item *(separator item)
template <typename Item>
auto separated_by(Cursor& in, char separator, Item item)
    -> Result<std::vector<std::decay_t<decltype(*item(in))>>> {
  std::vector<std::decay_t<decltype(*item(in))>> all;
  do {
    all.push_back(TRY(item(in)));
  } while (in.take(separator));
  return all;
}

/// "(" item *(SP item) ")"
template <typename Item>
auto parenthesized(Cursor& in, Item item)
    -> Result<std::vector<std::decay_t<decltype(*item(in))>>> {
  TRY(in.expect('('));
  auto all = TRY(separated_by(in, ' ', item));
  TRY(in.expect(')'));
  return all;
}

}  // namespace postern::imap
