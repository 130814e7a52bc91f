// Look-ups in checked code.
#include "sieve/code.h"

#include <algorithm>

#include "sieve/row.h"

namespace postern::sieve {

void Code::add(Tag tag, Value value) {
  tag_bits |= bit_of(tag);
  tags.emplace_back(tag, std::move(value));
}

const Value* Code::search(Tag tag) const {
  const auto found =
      std::ranges::find_if(tags, [&](const auto& bound) { return bound.first == tag; });
  return found == tags.end() ? nullptr : &found->second;
}

std::size_t Row::arity() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(args, [](Arg a) { return a != Arg::none; }));
}

}  // namespace postern::sieve
