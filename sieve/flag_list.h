// Lists of IMAP flags in scripts (RFC 5232 §2), and the tags that say where a copy goes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sieve/action.h"
#include "sieve/run.h"

namespace postern::sieve {

/// Adds the flags of space-separated lists that are not there yet; invalid ones are ignored.
void add_flags(const Strings& lists, std::vector<std::string>& flags);
void remove_flags(const Strings& lists, std::vector<std::string>& flags);
std::string join_flags(const std::vector<std::string>& flags);

/// :create, :flags, :mailboxid and :specialuse of the code, for this mailbox. Without :flags the
/// flags are `otherwise`.
/// @error limit  too many flags
Result<Target> read_target(Run& run, const Code& code, std::string mailbox,
                           const std::vector<std::string>& otherwise);
/// The target of :fcc, if it is there (RFC 8580 §3).
Result<std::optional<Target>> read_fcc(Run& run, const Code& code);
/// Reports bad mailbox names, ids and special-use flags that are constant.
void check_target(Checker& checker, const Code& code, const Value& mailbox);
void check_fcc(Checker& checker, const Code& code);

}  // namespace postern::sieve
