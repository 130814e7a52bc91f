// Flags as text: the 64 combinations of system flags and \Recent stand ready.
#include "imapd/flag_text.h"

#include <algorithm>
#include <array>

namespace postern::imap {
namespace {

constexpr std::array<std::string_view, 6> kNames{"\\Seen",    "\\Answered", "\\Flagged",
                                                 "\\Deleted", "\\Draft",    "\\Recent"};
constexpr std::uint32_t kRecentBit = 32;

std::array<std::string, 64> make_combinations() {
  std::array<std::string, 64> all;
  for (std::uint32_t bits = 0; bits < 64; ++bits)
    for (std::uint32_t i = 0; i < kNames.size(); ++i)
      if ((bits >> i & 1U) != 0) {
        if (!all[bits].empty()) all[bits] += ' ';
        all[bits] += kNames[i];
      }
  return all;
}

const std::array<std::string, 64>& combinations() {
  static const std::array<std::string, 64> all = make_combinations();
  return all;
}

}  // namespace

bool contains(const std::vector<UidRange>& ranges, Uid uid) {
  const auto after = std::upper_bound(ranges.begin(), ranges.end(), uid,
                                      [](Uid u, const UidRange& r) { return u < r.first; });
  return after != ranges.begin() && uid <= std::prev(after)->last;
}

FlagWriter::FlagWriter(const store::Mailbox& mailbox, const std::vector<UidRange>& recent)
    : mailbox_(mailbox), recent_(recent) {}

void FlagWriter::write(LineWriter& out, store::RecNo record, Uid uid) const {
  const auto word = mailbox_.flag_word(record);
  std::uint32_t bits = word.system & store::flag::all;
  if (!recent_.empty() && contains(recent_, uid)) bits |= kRecentBit;
  out.octet('(');
  out.text(combinations()[bits]);
  if (word.keywords != 0 || word.more) {
    bool first = bits == 0;
    for (std::uint64_t left = word.keywords; left != 0; left &= left - 1)
      keyword(out, static_cast<std::size_t>(__builtin_ctzll(left)), first);
    if (word.more)
      for (const store::KeywordNo more : mailbox_.flags(record).more)
        keyword(out, more.value(), first);
  }
  out.octet(')');
}

void FlagWriter::keyword(LineWriter& out, std::size_t number, bool& first) const {
  const auto& names = mailbox_.keywords();
  if (number >= names.size()) return;
  if (!first) out.octet(' ');
  first = false;
  out.text(names[number]);
}

store::CarriedFlags settable_flags(meta::Rights rights) {
  using meta::Right;
  store::CarriedFlags flags{.system = 0, .keywords = rights.has(Right::write)};
  if (rights.has(Right::seen)) flags.system |= store::flag::seen;
  if (rights.has(Right::delete_message)) flags.system |= store::flag::deleted;
  if (rights.has(Right::write))
    flags.system |= store::flag::answered | store::flag::flagged | store::flag::draft;
  return flags;
}

std::string flag_names(const store::Mailbox& mailbox, const store::CarriedFlags& among) {
  std::string out = combinations()[among.system & store::flag::all];
  if (!among.keywords) return out;
  for (const std::string& keyword : mailbox.keywords()) {
    if (!out.empty()) out += ' ';
    out += keyword;
  }
  return out;
}

}  // namespace postern::imap
