// ihave and error (RFC 5463).
#include <algorithm>

#include <fmt/format.h>

#include "sieve/functions.h"

namespace postern::sieve {
namespace {

// RFC 5463 §4: these change how the strings of the script are read, so a test can't switch them on.
bool changes_strings(const Text& name) {
  const auto cap = find_capability(name.text);
  return cap == Cap::variables || cap == Cap::encoded_character;
}

}  // namespace

void check_ihave(Checker& checker, Code& code) {
  for (const auto& name : code.args.front().strings) {
    if (name.has_variables)
      checker.error(name.at, "'ihave' takes constant strings only");
    else if (changes_strings(name) && !checker.has(*find_capability(name.text)))
      checker.error(
          name.at,
          fmt::format("\"{}\" changes how strings are read: write it into require", name.text));
    else
      checker.ihave(name);
  }
}

Result<bool> test_ihave(Run& run, const Code& code) {
  const CapSet& disabled = run.frame().script->environment.disabled;
  return std::ranges::all_of(code.args.front().strings, [&](const Text& name) {
    const auto cap = find_capability(name.text);
    return cap && !disabled.has(*cap);
  });
}

Result<Flow> run_error(Run& run, const Code& code) {
  return fail(Errc::not_supported, "the script says: {}", run.arg_string(code, 0));
}

}  // namespace postern::sieve
