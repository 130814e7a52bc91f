// require, stop and the tests that join tests (RFC 5228 §3, §5). if, elsif and else are the
// interpreter's own.
#include "sieve/functions.h"

namespace postern::sieve {

void check_require(Checker& checker, Code& code) {
  for (const auto& name : code.args.front().strings) checker.require(name);
}

Result<Flow> run_require(Run&, const Code&) { return Flow::next; }
Result<Flow> run_stop(Run&, const Code&) { return Flow::stop; }
Result<bool> test_true(Run&, const Code&) { return true; }
Result<bool> test_false(Run&, const Code&) { return false; }

Result<bool> test_not(Run& run, const Code& code) { return !TRY(run.test(code.tests.front())); }

Result<bool> test_allof(Run& run, const Code& code) {
  for (const auto& each : code.tests)
    if (!TRY(run.test(each))) return false;
  return true;
}

Result<bool> test_anyof(Run& run, const Code& code) {
  for (const auto& each : code.tests)
    if (TRY(run.test(each))) return true;
  return false;
}

}  // namespace postern::sieve
