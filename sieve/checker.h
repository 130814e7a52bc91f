// Binds the parser's tree to the table: names, tags, arguments, capabilities. Everything that can
// be wrong before a message is there is told here, with its place.
#pragma once

#include <string>
#include <vector>

#include "sieve/code.h"
#include "sieve/row.h"
#include "sieve/sieve.h"
#include "sieve/syntax.h"

namespace postern::sieve {

class Checker {
 public:
  Checker(const Environment& environment, Diagnostics& diagnostics)
      : environment_(environment), diagnostics_(diagnostics) {}

  std::vector<Code> script(const std::vector<Node>& nodes);

  // For the check functions of the rows.
  void error(Position at, std::string text);
  void warning(Position at, std::string text);
  /// Whether the script required it.
  [[nodiscard]] bool has(Cap cap) const { return caps_.has(cap); }
  [[nodiscard]] const CapSet& caps() const { return caps_; }
  [[nodiscard]] const Environment& environment() const { return environment_; }
  /// How many foreverypart loops are open around the command, with their names.
  [[nodiscard]] const std::vector<std::string>& loops() const { return loops_; }
  void require(const Text& name);
  /// RFC 5463 §4: capabilities tested by ihave count as required in what follows; after an unknown
  /// one, errors become errors of the run, for the statements that have them.
  void ihave(const Text& name);

 private:
  void block(const std::vector<Node>& nodes, std::vector<Code>& out);
  Code statement(const Node& node, std::string_view previous);
  Code test(const Node& node);
  void bind(const Node& node, const Row* row, std::string_view kind, Code& code);
  void arguments(const Node& node, Code& code);
  bool tag(const Node& node, std::size_t& at, Code& code);
  bool exclusive(const TagRow& tag, Position at, const Code& code);
  void positional(const std::vector<const Argument*>& given, const Node& node, Code& code);
  bool value(const Argument& argument, Arg wanted, std::string_view what, Value& out);
  void tail(const Node& node, Code& code);
  void enter_block(const Node& node, Code& code);
  void check_order(const Node& node, std::string_view previous);
  bool usable(Cap cap, Position at, std::string_view what);
  Text text(const StringNode& node);
  void check_namespaces(const Text& text);

  const Environment& environment_;
  Diagnostics& diagnostics_;
  CapSet caps_;
  std::vector<std::string> loops_;
  bool lenient_ = false;  // an ihave failed: what follows may name what this server doesn't have
  bool require_allowed_ = true;
};

}  // namespace postern::sieve
