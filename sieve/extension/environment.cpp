// environment (RFC 5183). The host's answers go first; these are what the engine knows itself.
#include "lib/base/text.h"
#include "sieve/functions.h"

namespace postern::sieve {

Result<bool> test_environment(Run& run, const Code& code) {
  const auto item = to_lower(run.arg_string(code, 0));
  auto value = run.host().environment(item);
  if (!value && item == "name") value = "Postern";
  if (!value && item == "phase") value = "during";
  if (!value && item == "location") value = "MDA";
  if (!value) return false;  // RFC 5183 §4: an unknown item fails, whatever the keys
  // :count of an item is 0 if it is empty (RFC 5183 §4).
  if (code.match.type == MatchType::count && value->empty())
    return run.match(code, code.args.back(), {});
  return run.match(code, code.args.back(), {std::string_view(*value)});
}

}  // namespace postern::sieve
