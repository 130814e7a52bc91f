// The syntax tree that the parser makes: what was written, not yet what it means.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sieve/diagnostic.h"

namespace postern::sieve {

struct StringNode {
  std::string text;
  Position at;
};

struct Argument {
  enum class Kind : std::uint8_t { number, tag, strings };
  Kind kind = Kind::number;
  Position at;
  std::uint64_t number = 0;
  std::string tag;                  // without the colon, lower case
  std::vector<StringNode> strings;  // one string or a list
  bool bracketed = false;           // written as a list, even of one
};

/// A command or a test; both have the same form (RFC 5228 §8.2).
struct Node {
  std::string name;  // lower case
  Position at;
  std::vector<Argument> arguments;
  std::vector<Node> tests;
  bool parenthesised = false;  // the tests stood in a test-list
  bool has_block = false;
  std::vector<Node> block;
};

}  // namespace postern::sieve
