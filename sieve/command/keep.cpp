// keep and discard (RFC 5228 §4.3, §4.4), keep :flags (RFC 5232 §5).
#include "sieve/flag_list.h"
#include "sieve/functions.h"

namespace postern::sieve {

Result<Flow> run_keep(Run& run, const Code& code) {
  Keep keep;
  if (const Value* flags = code.find(Tag::flags))
    add_flags(run.strings(*flags), keep.flags);
  else
    keep.flags = run.flags();
  TRY(run.act(code, std::move(keep), false));
  return Flow::next;
}

Result<Flow> run_discard(Run& run, const Code& code) {
  TRY(run.act(code, Discard{}, false));
  return Flow::next;
}

}  // namespace postern::sieve
