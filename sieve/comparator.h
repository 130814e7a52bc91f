// The comparators (RFC 4790 §9, RFC 5051) and the match types over them (RFC 5228 §2.7.1,
// RFC 5231).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sieve/code.h"

namespace postern::sieve {

std::optional<Comparator> find_comparator(std::string_view name);
/// The capability to require, or none: octet and ascii-casemap need none (RFC 5228 §2.7.3).
Cap needed_capability(Comparator comparator);
std::optional<Relation> find_relation(std::string_view name);

bool equal(Comparator comparator, std::string_view a, std::string_view b);
bool contains(Comparator comparator, std::string_view text, std::string_view part);
/// Below, at or above 0. i;ascii-numeric: text without a leading number is above all numbers.
int order(Comparator comparator, std::string_view a, std::string_view b);
bool holds(Relation relation, int order);

/// What the wildcards of a match took; [0] is the whole text (RFC 5229 §3.2).
using Captures = std::vector<std::string>;

}  // namespace postern::sieve
