// valid_ext_list (RFC 6134 §2.5). The match type :list stands in match.cpp, redirect :list in
// redirect.cpp; lists themselves are the host's.
#include "sieve/functions.h"

namespace postern::sieve {

Result<bool> test_valid_ext_list(Run& run, const Code& code) {
  for (const auto name : run.strings(code.args.front()))
    if (!run.host().list_known(name)) return false;
  return true;
}

}  // namespace postern::sieve
