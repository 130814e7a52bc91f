// spamtest, spamtestplus and virustest (RFC 5235): a filter's verdict, read from a header field
// that the site's configuration names.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "lib/base/text.h"
#include "sieve/functions.h"
#include "sieve/regex.h"

namespace postern::sieve {
namespace {

// The first decimal number in the text, with sign and fraction.
std::optional<double> first_number(std::string_view text) {
  const auto digit = text.find_first_of("0123456789");
  if (digit == std::string_view::npos) return std::nullopt;
  std::size_t start = digit;
  if (start > 0 && text[start - 1] == '-') --start;
  const auto end = text.find_first_not_of("0123456789.", digit);
  const std::string number(text.substr(start, end - start));
  return std::strtod(number.c_str(), nullptr);
}

// All texts that the message has at this place. The sender may have put fields of this name below
// the filter's, or above them: the worst counts.
std::vector<std::string> texts_at(Run& run, const ScoreSource::Place& place) {
  std::vector<std::string> out;
  if (place.field.empty()) return out;
  for (const auto& field : run.message().fields()) {
    if (!iequals(field.name(), place.field)) continue;
    Captures found;
    if (!place.pattern)
      out.push_back(field.text());
    else if (place.pattern->search(field.text(), &found))
      out.push_back(found.size() > 1 ? found[1] : found[0]);
  }
  return out;
}

double max_of(Run& run, const ScoreSource& source) {
  if (source.max_place.field.empty()) return source.max;
  double most = 0;
  for (const auto& text : texts_at(run, source.max_place))
    most = std::max(most, first_number(text).value_or(0));
  return most;
}

// What one text says: 0 (clean) to 1 (certain). `grades`: of the scale that words are given in.
std::optional<double> verdict_of(std::string_view text, const ScoreSource& source, double max,
                                 int grades) {
  if (source.form == ScoreSource::Form::words) {
    for (const auto& [grade, word] : source.words)
      if (iequals(word, trim(text))) return (grade - 1) / (grades - 1.0);
    return std::nullopt;
  }
  std::optional<double> score;
  if (source.form == ScoreSource::Form::marks)
    score = static_cast<double>(std::min(text.find(' '), text.size()));
  else
    score = first_number(text);
  if (!score || !(max > 0)) return std::nullopt;
  return std::clamp(*score / max, 0.0, 1.0);
}

// Nothing: the message was not tested.
std::optional<double> verdict(Run& run, const ScoreSource& source, int grades) {
  std::optional<double> worst;
  const double max = max_of(run, source);
  for (const auto& text : texts_at(run, source.score))
    if (const auto one = verdict_of(text, source, max, grades))
      worst = std::max(*one, worst.value_or(0));
  return worst;
}

// RFC 5235 §2.1: 0 is "not tested", so the scale starts at `least`.
Result<bool> compare(Run& run, const Code& code, std::optional<double> verdict, int least,
                     int most) {
  if (code.match.type == MatchType::count) {
    // RFC 5235 §2.2: 0 when the message was not tested, else 1.
    if (!verdict) return run.match(code, code.args.back(), {});
    return run.match(code, code.args.back(), {"tested"});
  }
  const auto value = verdict ? least + static_cast<int>(std::lround(*verdict * (most - least))) : 0;
  const auto text = fmt::format("{}", value);
  return run.match(code, code.args.back(), {std::string_view(text)});
}

}  // namespace

Result<bool> test_spamtest(Run& run, const Code& code) {
  const auto result = verdict(run, run.host().spam_source(), 10);
  if (code.has(Tag::percent)) return compare(run, code, result, 0, 100);
  return compare(run, code, result, 1, 10);
}

Result<bool> test_virustest(Run& run, const Code& code) {
  return compare(run, code, verdict(run, run.host().virus_source(), 5), 1, 5);
}

}  // namespace postern::sieve
