#include "sieve/match.h"

#include <fmt/format.h>

#include "sieve/glob.h"
#include "sieve/regex.h"

namespace postern::sieve {

Result<bool> Match::takes(std::string_view value) {
  ++count_;
  if (code_.match.type == MatchType::count) return false;
  std::size_t index = 0;
  for (const auto key : keys_)
    if (TRY(fits(value, key, index++))) return true;
  return false;
}

Result<bool> Match::at_end() {
  if (code_.match.type != MatchType::count) return false;
  const auto number = fmt::format("{}", count_);
  for (const auto key : keys_) {
    TRY(run_.spend());
    if (holds(code_.match.relation, order(Comparator::ascii_numeric, number, key))) return true;
  }
  return false;
}

Result<bool> Match::fits(std::string_view value, std::string_view key, std::size_t index) {
  const Comparator comparator = code_.match.comparator;
  // ICU's mapping is dear, and :matches maps each character by itself.
  const bool mapped = comparator == Comparator::unicode_casemap;
  const std::size_t per_step = !mapped ? 4096 : code_.match.type == MatchType::matches ? 16 : 64;
  TRY(run_.spend(1 + value.size() / per_step));
  switch (code_.match.type) {
    case MatchType::is:
      return equal(comparator, value, key);
    case MatchType::contains:
      return contains(comparator, value, key);
    case MatchType::value:
      return holds(code_.match.relation, order(comparator, value, key));
    case MatchType::regex:
      return fits_regex(value, key, index);
    case MatchType::list:
      return run_.host().list_contains(key, value);
    case MatchType::matches:
      return fits_glob(value, key, index);
    case MatchType::count:
      break;
  }
  return false;
}

Result<bool> Match::fits_glob(std::string_view value, std::string_view key, std::size_t index) {
  const auto search = [&](const Glob& glob) -> Result<bool> {
    Captures captures;
    const bool wanted = run_.has(Cap::variables);
    // A step buys 16 attempts.
    const bool found = TRY(glob.matches(value, wanted ? &captures : nullptr, run_.used().glob_work,
                                        (run_.limits().steps - run_.outcome().steps) * 16));
    if (found && wanted) run_.frame().variables.set_captures(std::move(captures));
    return found;
  };
  if (index < code_.globs.size()) return search(*code_.globs[index]);
  return search(Glob(code_.match.comparator, key));
}

Result<bool> Match::fits_regex(std::string_view value, std::string_view key, std::size_t index) {
  TRY(run_.spend(value.size() / 64));
  std::shared_ptr<const Regex> regex;
  if (index < code_.regexes.size())
    regex = code_.regexes[index];
  else
    regex = TRY(Regex::open(key, code_.match.comparator, run_.limits()));
  Captures captures;
  const bool wanted = run_.has(Cap::variables);
  const bool found = regex->search(value, wanted ? &captures : nullptr);
  if (found && wanted) run_.frame().variables.set_captures(std::move(captures));
  return found;
}

Result<bool> Run::match(const Code& code, const Value& keys,
                        const std::vector<std::string_view>& values) {
  Match match(*this, code, keys);
  for (const auto value : values)
    if (TRY(match.takes(value))) return true;
  return match.at_end();
}

}  // namespace postern::sieve
