// Checks of comparator and match type, the same for all tests that compare.
#include <fmt/format.h>

#include "sieve/comparator.h"
#include "sieve/functions.h"
#include "sieve/glob.h"
#include "sieve/regex.h"

namespace postern::sieve {
namespace {

constexpr std::array kTypes{
    std::pair{Tag::is, MatchType::is},           std::pair{Tag::contains, MatchType::contains},
    std::pair{Tag::matches, MatchType::matches}, std::pair{Tag::value, MatchType::value},
    std::pair{Tag::count, MatchType::count},     std::pair{Tag::regex, MatchType::regex},
    std::pair{Tag::list, MatchType::list},
};

void read_type(Checker& checker, Code& code) {
  for (const auto& [tag, type] : kTypes) {
    const Value* value = code.find(tag);
    if (value == nullptr) continue;
    code.match.type = type;
    if (value->kind == Value::Kind::none) return;
    const auto relation = find_relation(value->strings.front().text);
    if (relation)
      code.match.relation = *relation;
    else
      checker.error(value->strings.front().at,
                    "expected one of \"gt\", \"ge\", \"lt\", \"le\", \"eq\", \"ne\"");
    return;
  }
}

void read_comparator(Checker& checker, Code& code) {
  const Value* value = code.find(Tag::comparator);
  if (value == nullptr) return;
  const auto& name = value->strings.front();
  const auto comparator = find_comparator(name.text);
  if (!comparator) {
    checker.error(name.at,
                  fmt::format("this server doesn't have the comparator \"{}\"", name.text));
    return;
  }
  const Cap needed = needed_capability(*comparator);
  if (!checker.has(needed))
    checker.error(name.at, fmt::format("the comparator \"{}\" needs: require \"{}\";", name.text,
                                       name_of(needed)));
  code.match.comparator = *comparator;
}

// RFC 4790 §9.1.1: i;ascii-numeric can compare, but knows no substrings.
void check_combination(Checker& checker, const Code& code) {
  const MatchType type = code.match.type;
  const bool substring = type == MatchType::contains || type == MatchType::matches;
  if (substring && code.match.comparator == Comparator::ascii_numeric)
    checker.error(code.at, "i;ascii-numeric doesn't go with :contains or :matches");
  if (type == MatchType::list && code.has(Tag::comparator))
    checker.error(code.at, ":list takes no comparator: the list has its own");
}

void compile_regexes(Checker& checker, Code& code) {
  for (const auto& key : code.args.back().strings) {
    auto regex = Regex::open(key.text, code.match.comparator, checker.environment().limits);
    if (!regex) {
      checker.error(key.at, regex.error().text);
      return;
    }
    code.regexes.push_back(std::move(*regex));
  }
}

void compile_keys(Checker& checker, Code& code) {
  const Value& keys = code.args.back();
  if (!keys.constant()) return;
  if (code.match.type == MatchType::regex) compile_regexes(checker, code);
  if (code.match.type == MatchType::matches)
    for (const auto& key : keys.strings)
      code.globs.push_back(std::make_shared<const Glob>(code.match.comparator, key.text));
}

}  // namespace

void check_match(Checker& checker, Code& code) {
  read_type(checker, code);
  read_comparator(checker, code);
  check_combination(checker, code);
  compile_keys(checker, code);
}

void check_address(Checker& checker, Code& code) {
  check_match(checker, code);
  constexpr std::array kParts{
      std::pair{Tag::all, AddressPart::all},
      std::pair{Tag::localpart, AddressPart::localpart},
      std::pair{Tag::domain, AddressPart::domain},
      std::pair{Tag::user, AddressPart::user},
      std::pair{Tag::detail, AddressPart::detail},
  };
  for (const auto& [tag, part] : kParts)
    if (code.has(tag)) code.part = part;
}

}  // namespace postern::sieve
