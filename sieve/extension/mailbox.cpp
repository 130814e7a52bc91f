// Tests that ask about mailboxes: mailboxexists, metadata, servermetadata (RFC 5490),
// mailboxidexists (RFC 9042), specialuse_exists (RFC 8579).
#include "sieve/functions.h"

namespace postern::sieve {

Result<bool> test_mailboxexists(Run& run, const Code& code) {
  for (const auto name : run.strings(code.args.front()))
    if (!TRY(run.host().mailbox_exists(name))) return false;
  return true;
}

Result<bool> test_mailboxidexists(Run& run, const Code& code) {
  for (const auto id : run.strings(code.args.front()))
    if (!TRY(run.host().mailbox_id_exists(id))) return false;
  return true;
}

Result<bool> test_specialuse_exists(Run& run, const Code& code) {
  const bool named = code.args[0].kind != Value::Kind::none;
  const std::string mailbox = named ? run.arg_string(code, 0) : std::string();
  for (const auto use : run.strings(code.args[1]))
    if (!TRY(run.host().special_use_exists(mailbox, use))) return false;
  return true;
}

Result<bool> test_metadata(Run& run, const Code& code) {
  const auto value = TRY(run.host().metadata(run.arg_string(code, 0), run.arg_string(code, 1)));
  if (!value) return false;
  return run.match(code, code.args.back(), {std::string_view(*value)});
}

Result<bool> test_metadataexists(Run& run, const Code& code) {
  const auto mailbox = run.arg_string(code, 0);
  for (const auto annotation : run.strings(code.args[1]))
    if (!TRY(run.host().metadata(mailbox, annotation))) return false;
  return true;
}

Result<bool> test_servermetadata(Run& run, const Code& code) {
  const auto value = TRY(run.host().metadata({}, run.arg_string(code, 0)));
  if (!value) return false;
  return run.match(code, code.args.back(), {std::string_view(*value)});
}

Result<bool> test_servermetadataexists(Run& run, const Code& code) {
  for (const auto annotation : run.strings(code.args[0]))
    if (!TRY(run.host().metadata({}, annotation))) return false;
  return true;
}

}  // namespace postern::sieve
