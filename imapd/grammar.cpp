// The shared rules of RFC 9051 §9: see grammar.h.
#include "imapd/grammar.h"

#include <array>
#include <charconv>
#include <cstring>

#include "imapd/name_codec.h"
#include "lib/base/text.h"

namespace postern::imap {
namespace {

// ASTRING-CHAR = ATOM-CHAR / resp-specials
bool is_astring_char(char c) { return is_atom_char(c) || c == ']'; }
// tag = 1*<any ASTRING-CHAR except "+">
bool is_tag_char(char c) { return is_astring_char(c) && c != '+'; }
// list-char = ATOM-CHAR / list-wildcards / resp-specials
bool is_list_char(char c) { return is_astring_char(c) || c == '%' || c == '*'; }

bool is_utf8_octet(char c) { return static_cast<unsigned char>(c) > 127; }

// literal = "{" number64 ["+"] "}" CRLF *CHAR8; literal8 = "~{" number64 "}" CRLF *OCTET
Result<std::string_view> parse_literal(Cursor& in) {
  const std::size_t start = in.position();
  const bool binary = in.take('~');
  TRY(in.expect('{'));
  const auto size = TRY(parse_number64(in));
  in.take('+');
  if (!in.take_text("}\r\n")) return in.expected("the end of a literal's head");
  if (in.is_held(start)) return in.expected("no message");
  const auto octets = TRY(in.take_octets(size));
  if (!binary && octets.find('\0') != std::string_view::npos)
    return fail(Errc::bad_syntax, "NUL in a literal");
  return octets;
}

// quoted = DQUOTE *QUOTED-CHAR DQUOTE; UTF-8 is taken from all clients, whatever they enabled.
Result<std::string> parse_quoted(Cursor& in) {
  TRY(in.expect('"'));
  std::string text;
  while (!in.take('"')) {
    if (in.take('\\') && in.peek() != '"' && in.peek() != '\\')
      return in.expected("a quote or backslash");
    const int c = in.peek();
    if (c <= 0 || c == '\r' || c == '\n') return in.expected("a closing quote");
    text += static_cast<char>(c);
    TRY(in.take_octets(1));
  }
  if (!is_utf8(text)) return fail(Errc::bad_syntax, "a quoted string is not UTF-8");
  return text;
}

template <typename T>
Result<T> parse_digits(Cursor& in, std::string_view what) {
  const std::size_t start = in.position();
  const std::string_view digits = in.take_while(ascii_digit);
  T value{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc{} && end == digits.data() + digits.size()) return value;
  return fail(Errc::bad_syntax, "expected {} at octet {}", what, start + 1);
}

// seq-number = nz-number / "*"
Result<std::uint32_t> parse_seq_number(Cursor& in) {
  if (in.take('*')) return 0U;
  return parse_nz_number(in);
}

// seq-range = seq-number ":" seq-number; "4:2" means the same as "2:4", "4" is "4:4".
Result<NumberRange> parse_seq_range(Cursor& in) {
  const auto first = TRY(parse_seq_number(in));
  if (!in.take(':')) return NumberRange{first, first};
  const auto last = TRY(parse_seq_number(in));
  return NumberRange{first, last};
}

struct SystemFlag {
  std::string_view name;
  std::uint32_t bit;
};
constexpr std::array kSystemFlags{
    SystemFlag{"Seen", store::flag::seen},       SystemFlag{"Answered", store::flag::answered},
    SystemFlag{"Flagged", store::flag::flagged}, SystemFlag{"Deleted", store::flag::deleted},
    SystemFlag{"Draft", store::flag::draft},
};

constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Days since 1970-01-01 of a date of the Gregorian calendar.
std::int64_t days_of(std::int64_t year, unsigned month, unsigned day) {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const auto of_era = static_cast<unsigned>(year - era * 400);
  const unsigned of_year = (153 * (month + (month > 2 ? -3U : 9U)) + 2) / 5 + day - 1;
  const unsigned day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
  return era * 146097 + static_cast<std::int64_t>(day_of_era) - 719468;
}

struct Civil {
  std::int64_t year;
  unsigned month, day;
};

Civil civil_of(std::int64_t days) {
  days += 719468;
  const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const auto of_era = static_cast<unsigned>(days - era * 146097);
  const unsigned year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const unsigned of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned shifted = (5 * of_year + 2) / 153;
  const unsigned month = shifted < 10 ? shifted + 3 : shifted - 9;
  const std::int64_t year = static_cast<std::int64_t>(year_of_era) + era * 400;
  return {month <= 2 ? year + 1 : year, month, of_year - (153 * shifted + 2) / 5 + 1};
}

unsigned days_in(unsigned month, std::int64_t year) {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

Result<unsigned> parse_month(Cursor& in) {
  for (unsigned i = 0; i < kMonths.size(); ++i)
    if (in.take_text(kMonths[i])) return i + 1;
  return in.expected("a month");
}

// date-day "-" date-month "-" date-year
Result<std::int64_t> parse_day_month_year(Cursor& in, std::uint32_t day) {
  TRY(in.expect('-'));
  const unsigned month = TRY(parse_month(in));
  TRY(in.expect('-'));
  const std::string_view digits = TRY(in.take_octets(4));
  const auto year = parse_u32(digits);
  if (!year) return in.expected("a year of four digits");
  if (day < 1 || day > days_in(month, *year)) return in.expected("a day of that month");
  return days_of(*year, month, day);
}

// 2DIGIT, below `limit`
Result<std::uint32_t> parse_two_digits(Cursor& in, std::uint32_t limit) {
  const auto value = parse_u32(TRY(in.take_octets(2)));
  if (!value || *value >= limit) return in.expected("a time");
  return *value;
}

void put_two(char* at, unsigned value) {
  at[0] = static_cast<char>('0' + value / 10);
  at[1] = static_cast<char>('0' + value % 10);
}

}  // namespace

std::optional<LiteralHead> literal_head_at_end(std::string_view line) {
  if (line.empty() || line.back() != '}') return std::nullopt;
  const std::size_t open = line.rfind('{');
  if (open == std::string_view::npos) return std::nullopt;
  std::string_view number = line.substr(open + 1, line.size() - open - 2);
  LiteralHead head;
  if (!number.empty() && number.back() == '+') {
    head.synchronizing = false;
    number.remove_suffix(1);
  }
  const auto size = parse_u64(number);
  if (!size || *size > INT64_MAX) return std::nullopt;
  head.size = *size;
  head.binary = open > 0 && line[open - 1] == '~';
  return head;
}

Result<std::string_view> parse_tag(Cursor& in) {
  const std::string_view tag = in.take_while(is_tag_char);
  if (tag.empty()) return in.expected("a tag");
  return tag;
}

// atom = 1*ATOM-CHAR
Result<std::string_view> parse_atom(Cursor& in) {
  const std::string_view atom = in.take_while(is_atom_char);
  if (atom.empty()) return in.expected("an atom");
  return atom;
}

// string = quoted / literal
Result<std::string> parse_string(Cursor& in) {
  if (in.peek() == '"') return parse_quoted(in);
  if (in.peek() == '{' || in.peek() == '~') return std::string(TRY(parse_literal(in)));
  return in.expected("a quoted string or literal");
}

// astring = 1*ASTRING-CHAR / string
Result<std::string> parse_astring(Cursor& in) {
  if (in.peek() == '"' || in.peek() == '{') return parse_string(in);
  const std::string_view text = in.take_while(is_astring_char);
  if (text.empty()) return in.expected("an atom or string");
  return std::string(text);
}

// nstring = string / nil
Result<std::optional<std::string>> parse_nstring(Cursor& in) {
  if (in.take_word("NIL")) return std::optional<std::string>{};
  return std::optional<std::string>(TRY(parse_string(in)));
}

Result<std::uint32_t> parse_number(Cursor& in) {
  return parse_digits<std::uint32_t>(in, "a number");
}

Result<std::uint32_t> parse_nz_number(Cursor& in) {
  if (in.peek() == '0') return in.expected("a number from 1");
  return parse_digits<std::uint32_t>(in, "a number from 1 to 4294967295");
}

// number64 = 1*DIGIT, a 63-bit integer
Result<std::uint64_t> parse_number64(Cursor& in) {
  const auto value = TRY(parse_digits<std::uint64_t>(in, "a number"));
  if (value > INT64_MAX) return in.expected("a number of 63 bits");
  return value;
}

Result<ModSeq> parse_modseq(Cursor& in) { return ModSeq(TRY(parse_number64(in))); }

// sequence-set = (seq-number / seq-range) ["," sequence-set] / seq-last-command
Result<NumberSet> parse_sequence_set(Cursor& in) {
  if (in.take('$')) return NumberSet{.ranges = {}, .saved = true};
  return parse_uid_set(in);
}

Result<NumberSet> parse_uid_set(Cursor& in) {
  return NumberSet{.ranges = TRY(separated_by(in, ',', parse_seq_range)), .saved = false};
}

Result<std::string> parse_mailbox(Cursor& in) {
  std::string name = TRY(decode_name(TRY(parse_astring(in)), in.names()));
  if (iequals(name, "INBOX")) return std::string("INBOX");
  return name;
}

// list-mailbox = 1*list-char / string
Result<std::string> parse_list_mailbox(Cursor& in) {
  if (in.peek() == '"' || in.peek() == '{') return decode_name(TRY(parse_string(in)), in.names());
  const std::string_view text =
      in.take_while([](char c) { return is_list_char(c) || is_utf8_octet(c); });
  if (text.empty()) return in.expected("a mailbox pattern");
  return decode_name(text, in.names());
}

// flag = "\Answered" / "\Flagged" / "\Deleted" / "\Seen" / "\Draft" / flag-keyword
Result<void> parse_flag(Cursor& in, store::NamedFlags& into) {
  if (!in.take('\\')) {
    into.keywords.emplace_back(TRY(parse_atom(in)));
    return {};
  }
  for (const SystemFlag& flag : kSystemFlags)
    if (in.take_word(flag.name)) {
      into.system |= flag.bit;
      return {};
    }
  return in.expected("a flag that clients may set");
}

// flag-list = "(" [flag *(SP flag)] ")"
Result<store::NamedFlags> parse_flag_list(Cursor& in) {
  store::NamedFlags flags;
  TRY(in.expect('('));
  if (in.take(')')) return flags;
  do {
    TRY(parse_flag(in, flags));
  } while (in.take(' '));
  TRY(in.expect(')'));
  return flags;
}

Result<std::int64_t> parse_date(Cursor& in) {
  const bool quoted = in.take('"');
  const auto day = TRY(parse_number(in));
  const auto days = TRY(parse_day_month_year(in, day));
  if (quoted) TRY(in.expect('"'));
  return days;
}

// date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
Result<DateTime> parse_date_time(Cursor& in) {
  TRY(in.expect('"'));
  const bool one_digit = in.take(' ');  // date-day-fixed = (SP DIGIT) / 2DIGIT
  const auto day = parse_u32(TRY(in.take_octets(one_digit ? 1 : 2)));
  if (!day) return in.expected("a day");
  const auto days = TRY(parse_day_month_year(in, *day));
  TRY(in.space());
  const auto hour = TRY(parse_two_digits(in, 24));
  TRY(in.expect(':'));
  const auto minute = TRY(parse_two_digits(in, 60));
  TRY(in.expect(':'));
  const auto second = TRY(parse_two_digits(in, 61));
  TRY(in.space());
  const bool west = in.peek() == '-';
  if (!in.take('-') && !in.take('+')) return in.expected("a zone");
  const auto zone_hour = TRY(parse_two_digits(in, 24));
  const auto zone_minute = TRY(parse_two_digits(in, 60));
  TRY(in.expect('"'));
  const auto minutes = static_cast<std::int16_t>(zone_hour * 60 + zone_minute);
  const auto east = static_cast<std::int16_t>(west ? -minutes : minutes);
  return DateTime{days * 86400 + hour * 3600 + minute * 60 + second - east * 60, east};
}

DateText format_date_time(std::int64_t utc_seconds, std::int16_t zone_minutes) {
  const std::int64_t local = utc_seconds + zone_minutes * 60;
  const std::int64_t days = local >= 0 ? local / 86400 : -((86399 - local) / 86400);
  const auto of_day = static_cast<unsigned>(local - days * 86400);
  const Civil civil = civil_of(days);
  DateText text;
  char* out = text.octets.data();
  std::memcpy(out, "\"00-Mmm-0000 00:00:00 +0000\"", text.octets.size());
  put_two(out + 1, civil.day);
  std::memcpy(out + 4, kMonths[civil.month - 1].data(), 3);
  const auto year = static_cast<unsigned>(civil.year < 0 || civil.year > 9999 ? 1970 : civil.year);
  put_two(out + 8, year / 100);
  put_two(out + 10, year % 100);
  put_two(out + 13, of_day / 3600);
  put_two(out + 16, of_day / 60 % 60);
  put_two(out + 19, of_day % 60);
  const auto zone = static_cast<unsigned>(zone_minutes < 0 ? -zone_minutes : zone_minutes);
  out[22] = zone_minutes < 0 ? '-' : '+';
  put_two(out + 23, zone / 60);
  put_two(out + 25, zone % 60);
  return text;
}

}  // namespace postern::imap
