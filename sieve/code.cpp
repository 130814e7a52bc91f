// Look-ups in checked code.
#include "sieve/code.h"

#include <algorithm>

#include "sieve/row.h"

namespace postern::sieve {

bool Value::constant() const {
  return std::ranges::none_of(strings, [](const Text& text) { return text.has_variables; });
}

const Value* Code::find(Tag tag) const {
  const auto found =
      std::ranges::find_if(tags, [&](const auto& bound) { return bound.first == tag; });
  return found == tags.end() ? nullptr : &found->second;
}

std::size_t Row::arity() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(args, [](Arg a) { return a != Arg::none; }));
}

}  // namespace postern::sieve
