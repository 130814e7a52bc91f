// Recursive descent over RFC 5228 §8.2, one function a rule, depth bounded by Limits::nesting.
#include "sieve/parser.h"

#include <fmt/format.h>

#include "lib/base/text.h"
#include "sieve/lexer.h"

namespace postern::sieve {
namespace {

using Kind = Token::Kind;

class Parser {
 public:
  Parser(std::string_view script, const Limits& limits, Diagnostics& diagnostics)
      : lexer_(script, limits), limits_(limits), diagnostics_(diagnostics) {
    take();
  }

  std::optional<std::vector<Node>> script() {
    std::vector<Node> commands;
    while (token_.kind != Kind::end) {
      if (!command(commands, 0)) return std::nullopt;
    }
    return commands;
  }

 private:
  // command = identifier arguments (";" / block)
  bool command(std::vector<Node>& out, std::size_t depth) {
    if (token_.kind != Kind::identifier) return unexpected("a command");
    Node node;
    if (!head(node, depth)) return false;
    if (token_.kind == Kind::semicolon) {
      take();
    } else if (token_.kind == Kind::left_brace) {
      if (!block(node, depth + 1)) return false;
    } else {
      return missing_end(node);
    }
    out.push_back(std::move(node));
    return true;
  }

  // arguments = *argument [ test / test-list ]
  bool head(Node& node, std::size_t depth) {
    if (depth > limits_.nesting) return error(token_.at, "commands are nested too deeply here");
    if (++nodes_ > limits_.commands) return error(token_.at, "the script has too many commands");
    node.name = to_lower(token_.text);
    node.at = token_.at;
    take();
    for (;;) {
      switch (token_.kind) {
        case Kind::number:
        case Kind::tag:
        case Kind::string:
        case Kind::left_bracket:
          if (!argument(node)) return false;
          break;
        case Kind::identifier:
          node.tests.emplace_back();
          return head(node.tests.back(), depth + 1);
        case Kind::left_paren:
          return test_list(node, depth + 1);
        default:
          return token_.kind != Kind::error || error(token_.at, token_.text);
      }
    }
  }

  // argument = string-list / number / tag
  bool argument(Node& node) {
    Argument argument;
    argument.at = token_.at;
    if (token_.kind == Kind::number) {
      argument.number = token_.number;
      take();
    } else if (token_.kind == Kind::tag) {
      argument.kind = Argument::Kind::tag;
      argument.tag = to_lower(token_.text);
      take();
    } else {
      argument.kind = Argument::Kind::strings;
      if (!string_list(argument)) return false;
    }
    node.arguments.push_back(std::move(argument));
    return true;
  }

  // string-list = "[" string *("," string) "]" / string
  bool string_list(Argument& argument) {
    argument.bracketed = token_.kind == Kind::left_bracket;
    if (!argument.bracketed) return string(argument);
    do {
      take();
      if (!string(argument)) return false;
      if (argument.strings.size() > limits_.list_strings)
        return error(argument.at, "this list has too many strings");
    } while (token_.kind == Kind::comma);
    if (token_.kind != Kind::right_bracket) return unexpected("',' or ']' in the list of strings");
    take();
    return true;
  }

  bool string(Argument& argument) {
    if (token_.kind != Kind::string) return unexpected("a string");
    argument.strings.push_back({std::move(token_.text), token_.at});
    take();
    return true;
  }

  // test-list = "(" test *("," test) ")"
  bool test_list(Node& node, std::size_t depth) {
    node.parenthesised = true;
    do {
      take();
      if (token_.kind != Kind::identifier) return unexpected("a test");
      node.tests.emplace_back();
      if (!head(node.tests.back(), depth)) return false;
    } while (token_.kind == Kind::comma);
    if (token_.kind != Kind::right_paren) return unexpected("',' or ')' in the list of tests");
    take();
    return true;
  }

  // block = "{" commands "}"
  bool block(Node& node, std::size_t depth) {
    const Position start = token_.at;
    node.has_block = true;
    take();
    while (token_.kind != Kind::right_brace) {
      if (token_.kind == Kind::end)
        return error(token_.at, fmt::format("expected '}}' for the '{{' of line {}, found end of "
                                            "script",
                                            start.line));
      if (!command(node.block, depth)) return false;
    }
    take();
    return true;
  }

  // The place to mend is where the command ended, not the next line's first word.
  bool missing_end(const Node& node) {
    if (token_.kind == Kind::error) return error(token_.at, token_.text);
    return error(lexer_end_, fmt::format("expected ';' or '{{' after '{}', found {}", node.name,
                                         describe(token_)));
  }

  bool unexpected(std::string_view expected) {
    if (token_.kind == Kind::error) return error(token_.at, token_.text);
    return error(token_.at, fmt::format("expected {}, found {}", expected, describe(token_)));
  }

  static std::string describe(const Token& token) {
    if (token.kind == Kind::identifier) return fmt::format("'{}'", token.text);
    if (token.kind == Kind::tag) return fmt::format("':{}'", token.text);
    return std::string(name_of(token.kind));
  }

  bool error(Position at, std::string text) {
    diagnostics_.push_back({Severity::error, at, std::move(text)});
    return false;
  }

  void take() {
    token_ = lexer_.next();
    lexer_end_ = lexer_.end_of_previous();
  }

  Lexer lexer_;
  const Limits& limits_;
  Diagnostics& diagnostics_;
  Token token_;
  Position lexer_end_;
  std::size_t nodes_ = 0;
};

}  // namespace

std::optional<std::vector<Node>> parse(std::string_view script, const Limits& limits,
                                       Diagnostics& diagnostics) {
  if (script.size() > limits.script_octets) {
    diagnostics.push_back({Severity::error, {}, "the script is too large"});
    return std::nullopt;
  }
  return Parser(script, limits, diagnostics).script();
}

}  // namespace postern::sieve
