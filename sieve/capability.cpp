// The capability table: every extension that this engine has, and the text that defines it.
#include "sieve/capability.h"

#include <algorithm>
#include <array>

namespace postern::sieve {
namespace {

constexpr std::array kCapabilities{
    CapabilityRow{"body", Cap::body, "RFC 5173"},
    CapabilityRow{"comparator-i;ascii-casemap", Cap::comparator_ascii_casemap, "RFC 4790 §9.2"},
    CapabilityRow{"comparator-i;ascii-numeric", Cap::comparator_ascii_numeric, "RFC 4790 §9.1"},
    CapabilityRow{"comparator-i;octet", Cap::comparator_octet, "RFC 4790 §9.3"},
    CapabilityRow{"comparator-i;unicode-casemap", Cap::comparator_unicode_casemap, "RFC 5051"},
    CapabilityRow{"copy", Cap::copy, "RFC 3894"},
    CapabilityRow{"date", Cap::date, "RFC 5260 §4"},
    CapabilityRow{"duplicate", Cap::duplicate, "RFC 7352"},
    CapabilityRow{"editheader", Cap::editheader, "RFC 5293"},
    CapabilityRow{"enclose", Cap::enclose, "RFC 5703 §6"},
    CapabilityRow{"encoded-character", Cap::encoded_character, "RFC 5228 §2.4.2.4"},
    CapabilityRow{"enotify", Cap::enotify, "RFC 5435"},
    CapabilityRow{"envelope", Cap::envelope, "RFC 5228 §5.4"},
    CapabilityRow{"envelope-deliverby", Cap::envelope_deliverby, "RFC 6009 §4"},
    CapabilityRow{"envelope-dsn", Cap::envelope_dsn, "RFC 6009 §3"},
    CapabilityRow{"environment", Cap::environment, "RFC 5183"},
    CapabilityRow{"ereject", Cap::ereject, "RFC 5429 §2.1"},
    CapabilityRow{"extlists", Cap::extlists, "RFC 6134"},
    CapabilityRow{"extracttext", Cap::extracttext, "RFC 5703 §7"},
    CapabilityRow{"fcc", Cap::fcc, "RFC 8580"},
    CapabilityRow{"fileinto", Cap::fileinto, "RFC 5228 §4.1"},
    CapabilityRow{"foreverypart", Cap::foreverypart, "RFC 5703 §3"},
    CapabilityRow{"ihave", Cap::ihave, "RFC 5463"},
    CapabilityRow{"imap4flags", Cap::imap4flags, "RFC 5232"},
    CapabilityRow{"imapflags", Cap::imap4flags, "draft-melnikov-sieve-imapflags", false},
    CapabilityRow{"imapsieve", Cap::imapsieve, "RFC 6785"},
    CapabilityRow{"include", Cap::include, "RFC 6609"},
    CapabilityRow{"index", Cap::index, "RFC 5260 §6"},
    CapabilityRow{"mailbox", Cap::mailbox, "RFC 5490 §3"},
    CapabilityRow{"mailboxid", Cap::mailboxid, "RFC 9042"},
    CapabilityRow{"mboxmetadata", Cap::mboxmetadata, "RFC 5490 §3"},
    CapabilityRow{"mime", Cap::mime, "RFC 5703 §4"},
    CapabilityRow{"redirect-deliverby", Cap::redirect_deliverby, "RFC 6009 §6"},
    CapabilityRow{"redirect-dsn", Cap::redirect_dsn, "RFC 6009 §5"},
    CapabilityRow{"regex", Cap::regex, "draft-ietf-sieve-regex"},
    CapabilityRow{"reject", Cap::reject, "RFC 5429 §2.2"},
    CapabilityRow{"relational", Cap::relational, "RFC 5231"},
    CapabilityRow{"replace", Cap::replace, "RFC 5703 §5"},
    CapabilityRow{"servermetadata", Cap::servermetadata, "RFC 5490 §4"},
    CapabilityRow{"snooze", Cap::snooze, "draft-ietf-extra-sieve-snooze"},
    CapabilityRow{"spamtest", Cap::spamtest, "RFC 5235"},
    CapabilityRow{"spamtestplus", Cap::spamtestplus, "RFC 5235"},
    CapabilityRow{"special-use", Cap::special_use, "RFC 8579"},
    CapabilityRow{"subaddress", Cap::subaddress, "RFC 5233"},
    CapabilityRow{"vacation", Cap::vacation, "RFC 5230"},
    CapabilityRow{"vacation-seconds", Cap::vacation_seconds, "RFC 6131"},
    CapabilityRow{"variables", Cap::variables, "RFC 5229"},
    CapabilityRow{"virustest", Cap::virustest, "RFC 5235"},
    CapabilityRow{"vnd.cyrus.log", Cap::vnd_debug, "Cyrus: action log", false},
    CapabilityRow{"vnd.cyrus.snooze", Cap::snooze, "draft-ietf-extra-sieve-snooze", false},
    CapabilityRow{"vnd.dovecot.debug", Cap::vnd_debug, "Pigeonhole: action debug_log"},
    CapabilityRow{"vnd.dovecot.environment", Cap::vnd_environment, "Pigeonhole: more items"},
    CapabilityRow{"vnd.dovecot.imapsieve", Cap::imapsieve, "Pigeonhole: more items"},
    CapabilityRow{"vnd.dovecot.pipe", Cap::vnd_pipe, "Pigeonhole: action pipe"},
    CapabilityRow{"x-cyrus-log", Cap::vnd_debug, "Cyrus: action log", false},
    CapabilityRow{"x-cyrus-snooze", Cap::snooze, "draft-ietf-extra-sieve-snooze", false},
};
static_assert(std::ranges::is_sorted(kCapabilities, {}, &CapabilityRow::name));

}  // namespace

std::span<const CapabilityRow> capabilities() { return kCapabilities; }

std::optional<Cap> find_capability(std::string_view name) {
  const auto at = std::ranges::lower_bound(kCapabilities, name, {}, &CapabilityRow::name);
  if (at == kCapabilities.end() || at->name != name) return std::nullopt;
  return at->cap;
}

std::string_view name_of(Cap cap) {
  const auto at = std::ranges::find_if(
      kCapabilities, [&](const CapabilityRow& row) { return row.cap == cap && row.announced; });
  return at == kCapabilities.end() ? std::string_view() : at->name;
}

}  // namespace postern::sieve
