// fileinto (RFC 5228 §4.1) with :copy (RFC 3894), :flags (RFC 5232), :create (RFC 5490),
// :mailboxid (RFC 9042) and :specialuse (RFC 8579).
#include "sieve/flag_list.h"
#include "sieve/functions.h"

namespace postern::sieve {

void check_fileinto(Checker& checker, Code& code) {
  check_target(checker, code, code.args.front());
}

Result<Flow> run_fileinto(Run& run, const Code& code) {
  FileInto action;
  action.target = TRY(read_target(run, code, run.arg_string(code, 0), run.flags()));
  action.copy = code.has(Tag::copy);
  const bool keeps = action.copy;
  TRY(run.act(code, std::move(action), keeps));
  return Flow::next;
}

}  // namespace postern::sieve
