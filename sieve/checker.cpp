// The checker's walk over the tree. What one command alone has to check stands with that command,
// in its row's check function.
#include "sieve/checker.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "sieve/encoded_character.h"
#include "sieve/glob.h"
#include "sieve/parser.h"
#include "sieve/variables.h"

namespace postern::sieve {
namespace {

std::string_view describe(Arg arg) {
  switch (arg) {
    case Arg::none:
      return "nothing";
    case Arg::number:
      return "a number";
    case Arg::string:
      return "a string";
    case Arg::strings:
      return "a string or a list of strings";
  }
  return "";
}

std::string_view describe(const Argument& argument) {
  switch (argument.kind) {
    case Argument::Kind::number:
      return "a number";
    case Argument::Kind::tag:
      return "a tag";
    case Argument::Kind::strings:
      return argument.bracketed ? "a list of strings" : "a string";
  }
  return "";
}

const TagRow* find_tag(const Row& row, std::string_view name) {
  for (const auto& set : row.tags) {
    const auto at = std::ranges::find(set, name, &TagRow::name);
    if (at != set.end()) return &*at;
  }
  return nullptr;
}

std::string tag_names(const Row& row) {
  std::string names;
  for (const auto& set : row.tags)
    for (const auto& tag : set) names.append(names.empty() ? ":" : ", :").append(tag.name);
  return names;
}

// The command or test with the fewest differences, for "did you mean".
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({changed, row[j] + 1, row[j - 1] + 1}));
    }
  }
  return row.back();
}

std::string suggestion(std::string_view name, std::span<const Row> rows) {
  if (name.size() > 40) return {};
  const Row* best = nullptr;
  std::size_t least = std::min<std::size_t>(3, name.size() / 2);
  for (const auto& row : rows) {
    const std::size_t d = distance(name, row.name);
    if (d < least) {
      least = d;
      best = &row;
    }
  }
  return best == nullptr ? std::string() : fmt::format(": did you mean '{}'?", best->name);
}

}  // namespace

void Checker::error(Position at, std::string text) {
  diagnostics_.push_back({Severity::error, at, std::move(text)});
}

void Checker::warning(Position at, std::string text) {
  diagnostics_.push_back({Severity::warning, at, std::move(text)});
}

std::vector<Code> Checker::script(const std::vector<Node>& nodes) {
  std::vector<Code> out;
  block(nodes, out);
  return out;
}

void Checker::block(const std::vector<Node>& nodes, std::vector<Code>& out) {
  std::string_view previous;
  bool ended = false;
  for (const auto& node : nodes) {
    if (diagnostics_.size() >= environment_.limits.diagnostics) return;
    if (ended) {
      warning(node.at, "this is never reached");
      ended = false;
    }
    out.push_back(statement(node, previous));
    previous = node.name;
    ended = node.name == "stop" || node.name == "return";
  }
}

Code Checker::statement(const Node& node, std::string_view previous) {
  Code code;
  const std::size_t before = diagnostics_.size();
  if (node.name != "require") require_allowed_ = false;
  check_order(node, previous);
  const Row* row = find_command(node.name);
  if (row == nullptr && find_test(node.name) != nullptr) {
    error(node.at,
          fmt::format("'{}' is a test: expected a command; write it after 'if'", node.name));
  } else {
    if (row == nullptr)
      error(node.at, fmt::format("unknown command '{}'{}", node.name,
                                 suggestion(node.name, all_commands())));
    bind(node, row, "command", code);
  }
  if (lenient_ && diagnostics_.size() > before) {
    code.unusable = std::make_shared<const std::string>(diagnostics_[before].text);
    diagnostics_.resize(before);
  }
  return code;
}

Code Checker::test(const Node& node) {
  Code code;
  const std::size_t before = diagnostics_.size();
  const Row* row = find_test(node.name);
  if (row == nullptr && find_command(node.name) != nullptr)
    error(node.at, fmt::format("'{}' is a command: expected a test", node.name));
  else if (row == nullptr)
    error(node.at,
          fmt::format("unknown test '{}'{}", node.name, suggestion(node.name, all_tests())));
  bind(node, row, "test", code);
  if (lenient_ && diagnostics_.size() > before) {
    code.unusable = std::make_shared<const std::string>(diagnostics_[before].text);
    diagnostics_.resize(before);
  }
  return code;
}

// elsif and else need an if; require stands first (RFC 5228 §3.1, §3.2).
void Checker::check_order(const Node& node, std::string_view previous) {
  if ((node.name == "elsif" || node.name == "else") && previous != "if" && previous != "elsif")
    error(node.at, fmt::format("'{}' without an 'if' before it", node.name));
  if (node.name == "require" && !require_allowed_)
    error(node.at, "'require' must stand before all other commands");
}

void Checker::bind(const Node& node, const Row* row, std::string_view kind, Code& code) {
  code.at = node.at;
  code.row = row;
  if (row == nullptr) return;
  const std::size_t before = diagnostics_.size();
  if (!usable(row->needs, node.at, fmt::format("the {} '{}'", kind, node.name))) {
    // Its tests and block may still hold errors worth telling, its arguments not.
    tail(node, code);
    return;
  }
  arguments(node, code);
  tail(node, code);
  const auto fatal = [](const Diagnostic& d) { return d.severity == Severity::error; };
  const bool failed = std::any_of(diagnostics_.begin() + static_cast<std::ptrdiff_t>(before),
                                  diagnostics_.end(), fatal);
  if (!failed && row->check != nullptr) row->check(*this, code);
}

bool Checker::usable(Cap cap, Position at, std::string_view what) {
  if (environment_.disabled.has(cap) && cap != Cap::none) {
    error(at, fmt::format("{} is switched off on this server", what));
    return false;
  }
  if (caps_.has(cap)) return true;
  error(at, fmt::format("{} needs: require \"{}\";", what, name_of(cap)));
  return false;
}

void Checker::arguments(const Node& node, Code& code) {
  std::vector<const Argument*> given;
  for (std::size_t i = 0; i < node.arguments.size(); ++i) {
    const Argument& argument = node.arguments[i];
    if (argument.kind != Argument::Kind::tag) {
      given.push_back(&argument);
    } else if (!given.empty()) {
      error(argument.at, fmt::format("tags stand before the other arguments: expected ':{}' "
                                     "directly behind '{}'",
                                     argument.tag, node.name));
      return;
    } else if (!tag(node, i, code)) {
      return;
    }
  }
  positional(given, node, code);
}

// One tag and its value; `at` moves to the last argument taken.
bool Checker::tag(const Node& node, std::size_t& at, Code& code) {
  const Argument& argument = node.arguments[at];
  const TagRow* tag = find_tag(*code.row, argument.tag);
  if (tag == nullptr) {
    const std::string names = tag_names(*code.row);
    error(argument.at, names.empty()
                           ? fmt::format("'{}' has no tags, found ':{}'", node.name, argument.tag)
                           : fmt::format("'{}' has no tag ':{}': expected one of {}", node.name,
                                         argument.tag, names));
    return false;
  }
  if (!usable(tag->needs, argument.at, fmt::format("':{}'", tag->name))) return false;
  if (!exclusive(*tag, argument.at, code)) return false;
  Value value;
  value.at = argument.at;
  if (tag->value != Arg::none) {
    const std::string what = fmt::format("':{}'", tag->name);
    if (at + 1 >= node.arguments.size()) {
      error(argument.at, fmt::format("{} needs {} behind it", what, describe(tag->value)));
      return false;
    }
    if (!this->value(node.arguments[++at], tag->value, what, value)) return false;
  }
  code.add(tag->tag, std::move(value));
  return true;
}

bool Checker::exclusive(const TagRow& tag, Position at, const Code& code) {
  if (code.has(tag.tag)) {
    error(at, fmt::format("':{}' stands twice", tag.name));
    return false;
  }
  if (tag.group == 0) return true;
  for (const auto& set : code.row->tags) {
    for (const auto& other : set) {
      if (other.group != tag.group || !code.has(other.tag)) continue;
      error(at, fmt::format("':{}' and ':{}' exclude each other", other.name, tag.name));
      return false;
    }
  }
  return true;
}

void Checker::positional(const std::vector<const Argument*>& given, const Node& node, Code& code) {
  const Row& row = *code.row;
  const std::size_t arity = row.arity();
  code.args.resize(arity);
  const std::size_t skip = row.first_optional && given.size() + 1 == arity ? 1 : 0;
  for (std::size_t i = skip; i < arity; ++i) {
    const std::string what = fmt::format("'{}' ({})", node.name, row.arg_names[i]);
    if (i - skip >= given.size()) {
      if (row.last_optional && i + 1 == arity) return;
      error(node.at, fmt::format("{} is missing: expected {}", what, describe(row.args[i])));
      return;
    }
    if (!value(*given[i - skip], row.args[i], what, code.args[i])) return;
  }
  if (given.size() + skip > arity)
    error(given[arity - skip]->at,
          fmt::format("'{}' has one argument too many: expected {}, found {}", node.name,
                      row.tail == Tail::none ? "';'" : "a test or '{'",
                      describe(*given[arity - skip])));
}

bool Checker::value(const Argument& argument, Arg wanted, std::string_view what, Value& out) {
  const bool strings = argument.kind == Argument::Kind::strings;
  const bool fits = wanted == Arg::number    ? argument.kind == Argument::Kind::number
                    : wanted == Arg::strings ? strings
                                             : strings && !argument.bracketed;
  if (!fits) {
    error(argument.at,
          fmt::format("{}: expected {}, found {}", what, describe(wanted), describe(argument)));
    return false;
  }
  out.at = argument.at;
  out.kind = strings ? Value::Kind::strings : Value::Kind::number;
  out.number = argument.number;
  for (const auto& string : argument.strings) {
    out.strings.push_back(text(string));
    out.has_variables |= out.strings.back().has_variables;
  }
  return true;
}

Text Checker::text(const StringNode& node) {
  Text out{node.text, false, node.at};
  if (node.text.find("${") == std::string::npos) return out;
  if (has(Cap::encoded_character)) {
    auto decoded = decode_encoded_characters(node.text);
    if (decoded)
      out.text = std::move(*decoded);
    else
      error(node.at, decoded.error().text);
  }
  out.has_variables = has(Cap::variables) && out.text.find("${") != std::string::npos;
  if (out.has_variables) check_namespaces(out);
  return out;
}

// RFC 5229 §3: a namespace needs its extension; what merely looks like one is not a reference.
void Checker::check_namespaces(const Text& text) {
  std::string_view rest = text.text;
  for (auto at = rest.find("${"); at != std::string_view::npos; at = rest.find("${")) {
    rest.remove_prefix(at + 2);
    const auto name = rest.substr(0, rest.find('}'));
    const auto dot = name.find('.');
    if (dot == std::string_view::npos ||
        parse_variable_name(name.substr(0, dot)).kind != VariableName::Kind::plain)
      continue;
    const auto kind = parse_variable_name(name).kind;
    if (kind == VariableName::Kind::global)
      usable(Cap::include, text.at, "the namespace 'global'");
    else if (kind == VariableName::Kind::environment)
      usable(Cap::vnd_environment, text.at, "the namespace 'env'");
    else
      error(text.at, fmt::format("unknown namespace of variables: '${{{}}}'", name));
  }
}

void Checker::tail(const Node& node, Code& code) {
  const Tail tail = code.row->tail;
  const bool wants_block = tail == Tail::block || tail == Tail::test_and_block;
  const bool wants_test = tail == Tail::test || tail == Tail::test_and_block;
  for (const auto& test : node.tests) {
    if (tail == Tail::none || tail == Tail::block) {
      // The usual cause is a semicolon that is missing before the next command.
      if (find_command(test.name) != nullptr)
        error(test.at, fmt::format("expected ';' after '{}', before '{}'", node.name, test.name));
      else
        error(test.at, fmt::format("'{}' takes no test, found '{}'", node.name, test.name));
      return;
    }
    code.tests.push_back(this->test(test));
  }
  if (wants_test && (node.tests.size() != 1 || node.parenthesised))
    error(node.at, fmt::format("'{}' takes exactly one test{}", node.name,
                               node.parenthesised ? ", without parentheses" : ""));
  if (tail == Tail::tests && !node.parenthesised)
    error(node.at, fmt::format("'{}' takes tests in parentheses", node.name));
  if (wants_block && !node.has_block)
    error(node.at, fmt::format("'{}' takes a block: expected '{{'", node.name));
  if (!wants_block && node.has_block)
    error(node.at, fmt::format("'{}' takes no block: expected ';'", node.name));
  if (wants_block && node.has_block) enter_block(node, code);
}

void Checker::enter_block(const Node& node, Code& code) {
  const bool loop = node.name == "foreverypart";
  if (loop) {
    const Value* name = code.find(Tag::name);
    loops_.push_back(name == nullptr || name->strings.empty() ? "" : name->strings.front().text);
  }
  block(node.block, code.block);
  if (loop) loops_.pop_back();
}

void Checker::require(const Text& name) {
  const auto cap = find_capability(name.text);
  if (!cap) {
    error(name.at, fmt::format("this server doesn't have the extension \"{}\"", name.text));
  } else if (environment_.disabled.has(*cap)) {
    error(name.at, fmt::format("the extension \"{}\" is switched off on this server", name.text));
  } else {
    caps_.add(*cap);
    // RFC 5235 §2.2: spamtestplus is a form of spamtest.
    if (*cap == Cap::spamtestplus) caps_.add(Cap::spamtest);
    // RFC 6131 §2: requiring vacation-seconds implies vacation.
    if (*cap == Cap::vacation_seconds) caps_.add(Cap::vacation);
  }
}

void Checker::ihave(const Text& name) {
  const auto cap = find_capability(name.text);
  if (cap && !environment_.disabled.has(*cap))
    require(name);
  else
    lenient_ = true;
}

namespace {

void lay_out_globs(Code& code) {
  for (auto& glob : code.globs) glob = std::make_shared<const Glob>(*glob);
  std::ranges::for_each(code.tests, lay_out_globs);
}

// A copy made in one go lies in memory as the interpreter walks it, a rule's tests beside the next
// rule's and the blocks, which are seldom entered, behind them all. What the checker leaves is
// scattered, and in the server each message waits for it anew.
std::vector<Code> laid_out(std::vector<Code> code) {
  std::vector<std::vector<Code>> blocks;
  for (auto& each : code) blocks.push_back(std::exchange(each.block, {}));
  std::vector<Code> out = code;
  std::ranges::for_each(out, lay_out_globs);
  for (std::size_t i = 0; i < out.size(); ++i) out[i].block = laid_out(std::move(blocks[i]));
  return out;
}

}  // namespace

std::shared_ptr<const Script> compile(std::string_view text, const Environment& environment,
                                      Diagnostics& diagnostics) {
  const auto nodes = parse(text, environment.limits, diagnostics);
  if (!nodes) return nullptr;
  auto script = std::make_shared<Script>();
  script->environment = environment;
  Checker checker(environment, diagnostics);
  script->code = laid_out(checker.script(*nodes));
  script->required = checker.caps();
  std::ranges::stable_sort(diagnostics, {},
                           [](const Diagnostic& d) { return std::pair(d.at.line, d.at.column); });
  const auto fatal = [](const Diagnostic& d) { return d.severity == Severity::error; };
  if (std::ranges::any_of(diagnostics, fatal)) return nullptr;
  return script;
}

std::string capability_line(const CapSet& disabled) {
  std::string line;
  for (const auto& row : capabilities()) {
    if (!row.announced || disabled.has(row.cap)) continue;
    line.append(line.empty() ? "" : " ").append(row.name);
  }
  return line;
}

}  // namespace postern::sieve
