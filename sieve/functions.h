// The functions that the table's rows name: check, test and command of each, by file.
#pragma once

#include "sieve/checker.h"
#include "sieve/run.h"

namespace postern::sieve {

// match_check.cpp
/// Reads comparator and match type from the tags and compiles constant expressions. The keys are
/// the row's last argument.
void check_match(Checker& checker, Code& code);
/// check_match, and the address part.
void check_address(Checker& checker, Code& code);

// command/control.cpp
void check_require(Checker& checker, Code& code);
Result<Flow> run_require(Run& run, const Code& code);
Result<Flow> run_stop(Run& run, const Code& code);
Result<bool> test_true(Run& run, const Code& code);
Result<bool> test_false(Run& run, const Code& code);
Result<bool> test_not(Run& run, const Code& code);
Result<bool> test_allof(Run& run, const Code& code);
Result<bool> test_anyof(Run& run, const Code& code);

// command/keep.cpp
Result<Flow> run_keep(Run& run, const Code& code);
Result<Flow> run_discard(Run& run, const Code& code);

// command/fileinto.cpp
void check_fileinto(Checker& checker, Code& code);
Result<Flow> run_fileinto(Run& run, const Code& code);

// command/redirect.cpp
void check_redirect(Checker& checker, Code& code);
Result<Flow> run_redirect(Run& run, const Code& code);

// command/header.cpp
void check_header(Checker& checker, Code& code);
Result<bool> test_header(Run& run, const Code& code);
void check_exists(Checker& checker, Code& code);
Result<bool> test_exists(Run& run, const Code& code);
void check_size(Checker& checker, Code& code);
Result<bool> test_size(Run& run, const Code& code);

// command/address.cpp
void check_address_test(Checker& checker, Code& code);
Result<bool> test_address(Run& run, const Code& code);
void check_envelope(Checker& checker, Code& code);
Result<bool> test_envelope(Run& run, const Code& code);

// extension/body.cpp
Result<bool> test_body(Run& run, const Code& code);
// extension/date.cpp
/// ':zone', which the envelope test of RFC 6009 §4 has too.
void check_zone(Checker& checker, const Code& code);
/// The zone that the test asks for, in minutes; the user's own at that time without a tag.
Result<int> wanted_zone(Run& run, const Code& code, std::int64_t at);
void check_date(Checker& checker, Code& code);
Result<bool> test_date(Run& run, const Code& code);
void check_currentdate(Checker& checker, Code& code);
Result<bool> test_currentdate(Run& run, const Code& code);
// extension/duplicate.cpp
Result<bool> test_duplicate(Run& run, const Code& code);
// extension/editheader.cpp
void check_addheader(Checker& checker, Code& code);
Result<Flow> run_addheader(Run& run, const Code& code);
void check_deleteheader(Checker& checker, Code& code);
Result<Flow> run_deleteheader(Run& run, const Code& code);
// extension/enclose.cpp
Result<Flow> run_enclose(Run& run, const Code& code);
// extension/enotify.cpp
void check_notify(Checker& checker, Code& code);
Result<Flow> run_notify(Run& run, const Code& code);
Result<bool> test_valid_notify_method(Run& run, const Code& code);
Result<bool> test_notify_method_capability(Run& run, const Code& code);
// extension/environment.cpp
Result<bool> test_environment(Run& run, const Code& code);
// extension/extlists.cpp
Result<bool> test_valid_ext_list(Run& run, const Code& code);
// extension/extracttext.cpp
void check_extracttext(Checker& checker, Code& code);
Result<Flow> run_extracttext(Run& run, const Code& code);
// extension/foreverypart.cpp
Result<Flow> run_foreverypart(Run& run, const Code& code);
void check_break(Checker& checker, Code& code);
Result<Flow> run_break(Run& run, const Code& code);
// extension/ihave.cpp
void check_ihave(Checker& checker, Code& code);
Result<bool> test_ihave(Run& run, const Code& code);
Result<Flow> run_error(Run& run, const Code& code);
// extension/imap4flags.cpp
void check_flag_command(Checker& checker, Code& code);
Result<Flow> run_setflag(Run& run, const Code& code);
Result<Flow> run_addflag(Run& run, const Code& code);
Result<Flow> run_removeflag(Run& run, const Code& code);
void check_hasflag(Checker& checker, Code& code);
Result<bool> test_hasflag(Run& run, const Code& code);
// extension/include.cpp
void check_include(Checker& checker, Code& code);
Result<Flow> run_include(Run& run, const Code& code);
Result<Flow> run_return(Run& run, const Code& code);
void check_global(Checker& checker, Code& code);
Result<Flow> run_global(Run& run, const Code& code);
// extension/mailbox.cpp (also mboxmetadata, servermetadata, mailboxid, special-use)
Result<bool> test_mailboxexists(Run& run, const Code& code);
Result<bool> test_mailboxidexists(Run& run, const Code& code);
Result<bool> test_specialuse_exists(Run& run, const Code& code);
Result<bool> test_metadata(Run& run, const Code& code);
Result<bool> test_metadataexists(Run& run, const Code& code);
Result<bool> test_servermetadata(Run& run, const Code& code);
Result<bool> test_servermetadataexists(Run& run, const Code& code);
// extension/reject.cpp
Result<Flow> run_reject(Run& run, const Code& code);
Result<Flow> run_ereject(Run& run, const Code& code);
// extension/replace.cpp
Result<Flow> run_replace(Run& run, const Code& code);
// extension/snooze.cpp
void check_snooze(Checker& checker, Code& code);
Result<Flow> run_snooze(Run& run, const Code& code);
// extension/spamtest.cpp
Result<bool> test_spamtest(Run& run, const Code& code);
Result<bool> test_virustest(Run& run, const Code& code);
// extension/vacation.cpp
void check_vacation(Checker& checker, Code& code);
Result<Flow> run_vacation(Run& run, const Code& code);
// extension/variables.cpp
void check_set(Checker& checker, Code& code);
Result<Flow> run_set(Run& run, const Code& code);
Result<bool> test_string(Run& run, const Code& code);
// extension/vnd_debug.cpp
Result<Flow> run_log(Run& run, const Code& code);
// extension/vnd_pipe.cpp
void check_pipe(Checker& checker, Code& code);
Result<Flow> run_pipe(Run& run, const Code& code);

}  // namespace postern::sieve
