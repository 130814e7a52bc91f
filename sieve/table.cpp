// Every command and test of the language, with its arguments and what it needs. Nothing registers
// itself: what is not here doesn't exist.
#include <algorithm>
#include <array>

#include "sieve/functions.h"
#include "sieve/row.h"

namespace postern::sieve {
namespace {

using T = Tag;
using A = Arg;

// Tags of one group exclude each other.
constexpr std::uint8_t kMatchGroup = 1;
constexpr std::uint8_t kPartGroup = 2;
constexpr std::uint8_t kOptionGroup = 3;
constexpr std::uint8_t kSecondGroup = 4;

constexpr std::array kMatchTags{
    TagRow{"comparator", T::comparator, A::string},
    TagRow{"is", T::is, A::none, Cap::none, kMatchGroup},
    TagRow{"contains", T::contains, A::none, Cap::none, kMatchGroup},
    TagRow{"matches", T::matches, A::none, Cap::none, kMatchGroup},
    TagRow{"value", T::value, A::string, Cap::relational, kMatchGroup},
    TagRow{"count", T::count, A::string, Cap::relational, kMatchGroup},
    TagRow{"regex", T::regex, A::none, Cap::regex, kMatchGroup},
    TagRow{"list", T::list, A::none, Cap::extlists, kMatchGroup},
};
constexpr std::array kPartTags{
    TagRow{"all", T::all, A::none, Cap::none, kPartGroup},
    TagRow{"localpart", T::localpart, A::none, Cap::none, kPartGroup},
    TagRow{"domain", T::domain, A::none, Cap::none, kPartGroup},
    TagRow{"user", T::user, A::none, Cap::subaddress, kPartGroup},
    TagRow{"detail", T::detail, A::none, Cap::subaddress, kPartGroup},
};
constexpr std::array kIndexTags{
    TagRow{"index", T::index, A::number, Cap::index},
    TagRow{"last", T::last, A::none, Cap::index},
};
constexpr std::array kMimeTags{
    TagRow{"mime", T::mime, A::none, Cap::mime},
    TagRow{"anychild", T::anychild, A::none, Cap::mime},
};
constexpr std::array kHeaderTags{
    TagRow{"mime", T::mime, A::none, Cap::mime},
    TagRow{"anychild", T::anychild, A::none, Cap::mime},
    TagRow{"type", T::type, A::none, Cap::mime, kOptionGroup},
    TagRow{"subtype", T::subtype, A::none, Cap::mime, kOptionGroup},
    TagRow{"contenttype", T::contenttype, A::none, Cap::mime, kOptionGroup},
    TagRow{"param", T::param, A::strings, Cap::mime, kOptionGroup},
};
constexpr std::array kKeepTags{TagRow{"flags", T::flags, A::strings, Cap::imap4flags}};
constexpr std::array kFileintoTags{
    TagRow{"copy", T::copy, A::none, Cap::copy},
    TagRow{"create", T::create, A::none, Cap::mailbox},
    TagRow{"flags", T::flags, A::strings, Cap::imap4flags},
    TagRow{"mailboxid", T::mailboxid, A::string, Cap::mailboxid, kOptionGroup},
    TagRow{"specialuse", T::specialuse, A::string, Cap::special_use, kOptionGroup},
};
constexpr std::array kRedirectTags{
    TagRow{"copy", T::copy, A::none, Cap::copy},
    TagRow{"list", T::list, A::none, Cap::extlists},
    TagRow{"notify", T::notify, A::string, Cap::redirect_dsn},
    TagRow{"ret", T::ret, A::string, Cap::redirect_dsn},
    TagRow{"bytimeabsolute", T::bytimeabsolute, A::string, Cap::redirect_deliverby, kOptionGroup},
    TagRow{"bytimerelative", T::bytimerelative, A::number, Cap::redirect_deliverby, kOptionGroup},
    TagRow{"bymode", T::bymode, A::string, Cap::redirect_deliverby},
    TagRow{"bytrace", T::bytrace, A::none, Cap::redirect_deliverby},
};
constexpr std::array kFccTags{
    TagRow{"fcc", T::fcc, A::string, Cap::fcc},
    TagRow{"create", T::create, A::none, Cap::mailbox},
    TagRow{"flags", T::flags, A::strings, Cap::imap4flags},
    TagRow{"mailboxid", T::mailboxid, A::string, Cap::mailboxid, kOptionGroup},
    TagRow{"specialuse", T::specialuse, A::string, Cap::special_use, kOptionGroup},
};
constexpr std::array kVacationTags{
    TagRow{"addresses", T::addresses, A::strings},
    TagRow{"days", T::days, A::number, Cap::none, kSecondGroup},
    TagRow{"from", T::from, A::string},
    TagRow{"handle", T::handle, A::string},
    TagRow{"mime", T::mime},
    TagRow{"seconds", T::seconds, A::number, Cap::vacation_seconds, kSecondGroup},
    TagRow{"subject", T::subject, A::string},
};
constexpr std::array kNotifyTags{
    TagRow{"from", T::from, A::string},
    TagRow{"importance", T::importance, A::string},
    TagRow{"message", T::message, A::string},
    TagRow{"options", T::options, A::strings},
};
constexpr std::array kSetTags{
    TagRow{"encodeurl", T::encodeurl, A::none, Cap::enotify},
    TagRow{"length", T::length},
    TagRow{"lower", T::lower, A::none, Cap::none, kOptionGroup},
    TagRow{"upper", T::upper, A::none, Cap::none, kOptionGroup},
    TagRow{"lowerfirst", T::lowerfirst, A::none, Cap::none, kSecondGroup},
    TagRow{"upperfirst", T::upperfirst, A::none, Cap::none, kSecondGroup},
    TagRow{"quotewildcard", T::quotewildcard, A::none, Cap::none, kPartGroup},
    TagRow{"quoteregex", T::quoteregex, A::none, Cap::regex, kPartGroup},
};
constexpr std::array kFirstTags{TagRow{"first", T::first, A::number}};
constexpr std::array kNameTags{TagRow{"name", T::name, A::string}};
constexpr std::array kReplaceTags{
    TagRow{"from", T::from, A::string},
    TagRow{"mime", T::mime},
    TagRow{"subject", T::subject, A::string},
};
constexpr std::array kEncloseTags{
    TagRow{"headers", T::header, A::strings},
    TagRow{"subject", T::subject, A::string},
};
constexpr std::array kIncludeTags{
    TagRow{"global", T::global, A::none, Cap::none, kOptionGroup},
    TagRow{"personal", T::personal, A::none, Cap::none, kOptionGroup},
    TagRow{"once", T::once},
    TagRow{"optional", T::optional},
};
constexpr std::array kAddheaderTags{TagRow{"last", T::last}};
constexpr std::array kDeleteheaderTags{
    TagRow{"index", T::index, A::number},
    TagRow{"last", T::last},
};
constexpr std::array kSnoozeTags{
    TagRow{"addflags", T::addflags, A::strings, Cap::imap4flags},
    TagRow{"create", T::create, A::none, Cap::mailbox},
    TagRow{"mailbox", T::mailbox, A::string},
    TagRow{"mailboxid", T::mailboxid, A::string, Cap::mailboxid, kOptionGroup},
    TagRow{"removeflags", T::removeflags, A::strings, Cap::imap4flags},
    TagRow{"specialuse", T::specialuse, A::string, Cap::special_use, kOptionGroup},
    TagRow{"tzid", T::tzid, A::string},
    TagRow{"weekdays", T::weekdays, A::strings},
};
constexpr std::array kPipeTags{
    TagRow{"copy", T::copy, A::none, Cap::copy},
    TagRow{"try", T::try_},
};
constexpr std::array kSizeTags{
    TagRow{"over", T::over, A::number, Cap::none, kOptionGroup},
    TagRow{"under", T::under, A::number, Cap::none, kOptionGroup},
};
constexpr std::array kBodyTags{
    TagRow{"raw", T::raw, A::none, Cap::none, kOptionGroup},
    TagRow{"content", T::content, A::strings, Cap::none, kOptionGroup},
    TagRow{"text", T::text, A::none, Cap::none, kOptionGroup},
};
constexpr std::array kZoneTags{TagRow{"zone", T::zone, A::string, Cap::none, kOptionGroup}};
constexpr std::array kDateTags{
    TagRow{"zone", T::zone, A::string, Cap::none, kOptionGroup},
    TagRow{"originalzone", T::originalzone, A::none, Cap::none, kOptionGroup},
};
constexpr std::array kDuplicateTags{
    TagRow{"handle", T::handle, A::string},
    TagRow{"header", T::header, A::string, Cap::none, kOptionGroup},
    TagRow{"uniqueid", T::uniqueid, A::string, Cap::none, kOptionGroup},
    TagRow{"seconds", T::seconds, A::number},
    TagRow{"last", T::last},
};
constexpr std::array kPercentTags{TagRow{"percent", T::percent, A::none, Cap::spamtestplus}};

// name, capability, tags, arguments, their names, first and last optional, tail, check, test,
// command
constexpr std::array kCommands{
    Row{"addflag", Cap::imap4flags, {}, {A::string, A::strings}, {"a variable", "flags"}, true,
        false, Tail::none, check_flag_command, nullptr, run_addflag},
    Row{"addheader", Cap::editheader, {kAddheaderTags}, {A::string, A::string},
        {"a header field's name", "its value"}, false, false, Tail::none, check_addheader, nullptr,
        run_addheader},
    Row{"break", Cap::foreverypart, {kNameTags}, {}, {}, false, false, Tail::none, check_break,
        nullptr, run_break},
    Row{"debug_log", Cap::vnd_debug, {}, {A::string}, {"a text"}, false, false, Tail::none,
        nullptr, nullptr, run_log},
    Row{"deleteheader", Cap::editheader, {kDeleteheaderTags, kMatchTags}, {A::string, A::strings},
        {"a header field's name", "values"}, false, true, Tail::none, check_deleteheader, nullptr,
        run_deleteheader},
    Row{"discard", Cap::none, {}, {}, {}, false, false, Tail::none, nullptr, nullptr, run_discard},
    Row{"else", Cap::none, {}, {}, {}, false, false, Tail::block, nullptr, nullptr, nullptr},
    Row{"elsif", Cap::none, {}, {}, {}, false, false, Tail::test_and_block, nullptr, nullptr,
        nullptr},
    Row{"enclose", Cap::enclose, {kEncloseTags}, {A::string}, {"a text"}, false, false, Tail::none,
        nullptr, nullptr, run_enclose},
    Row{"ereject", Cap::ereject, {}, {A::string}, {"the reason"}, false, false, Tail::none, nullptr,
        nullptr, run_ereject},
    Row{"error", Cap::ihave, {}, {A::string}, {"a text"}, false, false, Tail::none, nullptr,
        nullptr, run_error},
    Row{"extracttext", Cap::extracttext, {kFirstTags, kSetTags}, {A::string}, {"a variable"}, false,
        false, Tail::none, check_extracttext, nullptr, run_extracttext},
    Row{"fileinto", Cap::fileinto, {kFileintoTags}, {A::string}, {"a mailbox"}, false, false,
        Tail::none, check_fileinto, nullptr, run_fileinto},
    Row{"foreverypart", Cap::foreverypart, {kNameTags}, {}, {}, false, false, Tail::block, nullptr,
        nullptr, run_foreverypart},
    Row{"global", Cap::include, {}, {A::strings}, {"names of variables"}, false, false, Tail::none,
        check_global, nullptr, run_global},
    Row{"if", Cap::none, {}, {}, {}, false, false, Tail::test_and_block, nullptr, nullptr, nullptr},
    Row{"include", Cap::include, {kIncludeTags}, {A::string}, {"a script's name"}, false, false,
        Tail::none, check_include, nullptr, run_include},
    Row{"keep", Cap::none, {kKeepTags}, {}, {}, false, false, Tail::none, nullptr, nullptr,
        run_keep},
    Row{"log", Cap::vnd_debug, {}, {A::string}, {"a text"}, false, false, Tail::none, nullptr,
        nullptr, run_log},
    Row{"notify", Cap::enotify, {kNotifyTags, kFccTags}, {A::string}, {"a method's URI"}, false,
        false, Tail::none, check_notify, nullptr, run_notify},
    Row{"pipe", Cap::vnd_pipe, {kPipeTags}, {A::string, A::strings}, {"a program", "arguments"},
        false, true, Tail::none, check_pipe, nullptr, run_pipe},
    Row{"redirect", Cap::none, {kRedirectTags}, {A::string}, {"an address"}, false, false,
        Tail::none, check_redirect, nullptr, run_redirect},
    Row{"reject", Cap::reject, {}, {A::string}, {"the reason"}, false, false, Tail::none, nullptr,
        nullptr, run_reject},
    Row{"removeflag", Cap::imap4flags, {}, {A::string, A::strings}, {"a variable", "flags"}, true,
        false, Tail::none, check_flag_command, nullptr, run_removeflag},
    Row{"replace", Cap::replace, {kReplaceTags}, {A::string}, {"a text"}, false, false, Tail::none,
        nullptr, nullptr, run_replace},
    Row{"require", Cap::none, {}, {A::strings}, {"capabilities"}, false, false, Tail::none,
        check_require, nullptr, run_require},
    Row{"return", Cap::include, {}, {}, {}, false, false, Tail::none, nullptr, nullptr, run_return},
    Row{"set", Cap::variables, {kSetTags}, {A::string, A::string},
        {"a variable's name", "its value"}, false, false, Tail::none, check_set, nullptr, run_set},
    Row{"setflag", Cap::imap4flags, {}, {A::string, A::strings}, {"a variable", "flags"}, true,
        false, Tail::none, check_flag_command, nullptr, run_setflag},
    Row{"snooze", Cap::snooze, {kSnoozeTags}, {A::strings}, {"times"}, false, false, Tail::none,
        check_snooze, nullptr, run_snooze},
    Row{"stop", Cap::none, {}, {}, {}, false, false, Tail::none, nullptr, nullptr, run_stop},
    Row{"vacation", Cap::vacation, {kVacationTags, kFccTags}, {A::string}, {"the reason"}, false,
        false, Tail::none, check_vacation, nullptr, run_vacation},
};

constexpr std::array kTests{
    Row{"address", Cap::none, {kMatchTags, kPartTags, kIndexTags, kMimeTags},
        {A::strings, A::strings}, {"header field names", "keys"}, false, false, Tail::none,
        check_address_test, test_address, nullptr},
    Row{"allof", Cap::none, {}, {}, {}, false, false, Tail::tests, nullptr, test_allof, nullptr},
    Row{"anyof", Cap::none, {}, {}, {}, false, false, Tail::tests, nullptr, test_anyof, nullptr},
    Row{"body", Cap::body, {kMatchTags, kBodyTags}, {A::strings}, {"keys"}, false, false,
        Tail::none, check_match, test_body, nullptr},
    Row{"currentdate", Cap::date, {kMatchTags, kZoneTags}, {A::string, A::strings},
        {"a date part", "keys"}, false, false, Tail::none, check_currentdate, test_currentdate,
        nullptr},
    Row{"date", Cap::date, {kMatchTags, kDateTags, kIndexTags},
        {A::string, A::string, A::strings}, {"a header field's name", "a date part", "keys"}, false,
        false, Tail::none, check_date, test_date, nullptr},
    Row{"duplicate", Cap::duplicate, {kDuplicateTags}, {}, {}, false, false, Tail::none, nullptr,
        test_duplicate, nullptr},
    Row{"envelope", Cap::envelope, {kMatchTags, kPartTags}, {A::strings, A::strings},
        {"parts of the envelope", "keys"}, false, false, Tail::none, check_envelope, test_envelope,
        nullptr},
    Row{"environment", Cap::environment, {kMatchTags}, {A::string, A::strings},
        {"an item's name", "keys"}, false, false, Tail::none, check_match, test_environment,
        nullptr},
    Row{"exists", Cap::none, {kMimeTags}, {A::strings}, {"header field names"}, false, false,
        Tail::none, nullptr, test_exists, nullptr},
    Row{"false", Cap::none, {}, {}, {}, false, false, Tail::none, nullptr, test_false, nullptr},
    Row{"hasflag", Cap::imap4flags, {kMatchTags}, {A::strings, A::strings},
        {"variables", "flags"}, true, false, Tail::none, check_hasflag, test_hasflag, nullptr},
    Row{"header", Cap::none, {kMatchTags, kIndexTags, kHeaderTags}, {A::strings, A::strings},
        {"header field names", "keys"}, false, false, Tail::none, check_header, test_header,
        nullptr},
    Row{"ihave", Cap::ihave, {}, {A::strings}, {"capabilities"}, false, false, Tail::none,
        check_ihave, test_ihave, nullptr},
    Row{"mailboxexists", Cap::mailbox, {}, {A::strings}, {"mailboxes"}, false, false, Tail::none,
        nullptr, test_mailboxexists, nullptr},
    Row{"mailboxidexists", Cap::mailboxid, {}, {A::strings}, {"mailbox ids"}, false, false,
        Tail::none, nullptr, test_mailboxidexists, nullptr},
    Row{"metadata", Cap::mboxmetadata, {kMatchTags}, {A::string, A::string, A::strings},
        {"a mailbox", "an annotation", "keys"}, false, false, Tail::none, check_match,
        test_metadata, nullptr},
    Row{"metadataexists", Cap::mboxmetadata, {}, {A::string, A::strings},
        {"a mailbox", "annotations"}, false, false, Tail::none, nullptr, test_metadataexists,
        nullptr},
    Row{"not", Cap::none, {}, {}, {}, false, false, Tail::test, nullptr, test_not, nullptr},
    Row{"notify_method_capability", Cap::enotify, {kMatchTags}, {A::string, A::string, A::strings},
        {"a method's URI", "a capability", "keys"}, false, false, Tail::none, check_match,
        test_notify_method_capability, nullptr},
    Row{"servermetadata", Cap::servermetadata, {kMatchTags}, {A::string, A::strings},
        {"an annotation", "keys"}, false, false, Tail::none, check_match, test_servermetadata,
        nullptr},
    Row{"servermetadataexists", Cap::servermetadata, {}, {A::strings}, {"annotations"}, false,
        false, Tail::none, nullptr, test_servermetadataexists, nullptr},
    Row{"size", Cap::none, {kSizeTags}, {}, {}, false, false, Tail::none, check_size, test_size,
        nullptr},
    Row{"spamtest", Cap::spamtest, {kMatchTags, kPercentTags}, {A::string}, {"a value"}, false,
        false, Tail::none, check_match, test_spamtest, nullptr},
    Row{"specialuse_exists", Cap::special_use, {}, {A::string, A::strings},
        {"a mailbox", "special-use flags"}, true, false, Tail::none, nullptr,
        test_specialuse_exists, nullptr},
    Row{"string", Cap::variables, {kMatchTags}, {A::strings, A::strings}, {"sources", "keys"},
        false, false, Tail::none, check_match, test_string, nullptr},
    Row{"true", Cap::none, {}, {}, {}, false, false, Tail::none, nullptr, test_true, nullptr},
    Row{"valid_ext_list", Cap::extlists, {}, {A::strings}, {"names of lists"}, false, false,
        Tail::none, nullptr, test_valid_ext_list, nullptr},
    Row{"valid_notify_method", Cap::enotify, {}, {A::strings}, {"URIs"}, false, false, Tail::none,
        nullptr, test_valid_notify_method, nullptr},
    Row{"virustest", Cap::virustest, {kMatchTags}, {A::string}, {"a value"}, false, false,
        Tail::none, check_match, test_virustest, nullptr},
};

static_assert(std::ranges::is_sorted(kCommands, {}, &Row::name));
static_assert(std::ranges::is_sorted(kTests, {}, &Row::name));

const Row* find(std::span<const Row> rows, std::string_view name) {
  const auto at = std::ranges::lower_bound(rows, name, {}, &Row::name);
  return at == rows.end() || at->name != name ? nullptr : &*at;
}

}  // namespace

const Row* find_command(std::string_view name) { return find(kCommands, name); }
const Row* find_test(std::string_view name) { return find(kTests, name); }
std::span<const Row> all_commands() { return kCommands; }
std::span<const Row> all_tests() { return kTests; }

}  // namespace postern::sieve
