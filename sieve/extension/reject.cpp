// reject and ereject (RFC 5429). Which actions they can't stand beside is checked in Run::act.
#include "sieve/functions.h"

namespace postern::sieve {

Result<Flow> run_reject(Run& run, const Code& code) {
  TRY(run.act(code, Reject{run.arg_string(code, 0), false}, false));
  return Flow::next;
}

Result<Flow> run_ereject(Run& run, const Code& code) {
  TRY(run.act(code, Reject{run.arg_string(code, 0), true}, false));
  return Flow::next;
}

}  // namespace postern::sieve
