// How a test compares its values with its keys (RFC 5228 §2.7, RFC 5231, RFC 6134 §2.2).
#include <fmt/format.h>

#include "sieve/regex.h"
#include "sieve/run.h"

namespace postern::sieve {

Result<bool> Run::match(const Code& code, const Value& keys,
                        const std::vector<std::string_view>& values) {
  const Strings wanted = strings(keys);
  if (code.match.type == MatchType::count) return match_count(code, wanted, values.size());
  for (const auto value : values) {
    std::size_t index = 0;
    for (const auto key : wanted)
      if (TRY(match_one(code, value, key, index++))) return true;
  }
  return false;
}

Result<bool> Run::match_count(const Code& code, const Strings& keys, std::size_t count) {
  const auto number = fmt::format("{}", count);
  for (const auto key : keys) {
    TRY(spend());
    if (holds(code.match.relation, order(Comparator::ascii_numeric, number, key))) return true;
  }
  return false;
}

Result<bool> Run::match_one(const Code& code, std::string_view value, std::string_view key,
                            std::size_t index) {
  const Comparator comparator = code.match.comparator;
  // ICU's mapping is dear, and :matches maps each character by itself.
  const bool mapped = comparator == Comparator::unicode_casemap;
  const std::size_t per_step = !mapped ? 4096 : code.match.type == MatchType::matches ? 16 : 64;
  TRY(spend(1 + value.size() / per_step));
  switch (code.match.type) {
    case MatchType::is:
      return equal(comparator, value, key);
    case MatchType::contains:
      return contains(comparator, value, key);
    case MatchType::value:
      return holds(code.match.relation, order(comparator, value, key));
    case MatchType::regex:
      return match_regex(code, value, key, index);
    case MatchType::list:
      return host_.list_contains(key, value);
    case MatchType::matches: {
      Captures captures;
      // A step buys 16 attempts.
      const bool found = TRY(glob(comparator, key, value, has(Cap::variables) ? &captures : nullptr,
                                  glob_work_, (limits_.steps - outcome_.steps) * 16));
      if (found && has(Cap::variables)) frame().variables.set_captures(std::move(captures));
      return found;
    }
    case MatchType::count:
      break;
  }
  return false;
}

Result<bool> Run::match_regex(const Code& code, std::string_view value, std::string_view key,
                              std::size_t index) {
  TRY(spend(value.size() / 64));
  std::shared_ptr<const Regex> regex;
  if (index < code.regexes.size())
    regex = code.regexes[index];
  else
    regex = TRY(Regex::open(key, code.match.comparator, limits_));
  Captures captures;
  const bool found = regex->search(value, has(Cap::variables) ? &captures : nullptr);
  if (found && has(Cap::variables)) frame().variables.set_captures(std::move(captures));
  return found;
}

}  // namespace postern::sieve
