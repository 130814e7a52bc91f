// log and debug_log (of Cyrus and Pigeonhole): a line into the user's log.
#include "sieve/functions.h"
#include "sieve/utf8.h"

namespace postern::sieve {

Result<Flow> run_log(Run& run, const Code& code) {
  constexpr std::size_t kLongest = 1'024;
  TRY(run.act(code, LogLine{std::string(utf8_cut(run.arg_string(code, 0), kLongest))}, true));
  return Flow::next;
}

}  // namespace postern::sieve
