// spamtest, spamtestplus and virustest (RFC 5235): a filter's verdict, read from a header field
// that the site's configuration names.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "lib/base/text.h"
#include "lib/mime/find.h"
#include "sieve/functions.h"

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

// 0 (clean) to 1 (certain); nothing: the message was not tested.
std::optional<double> verdict(Run& run, const ScoreSource& source) {
  const Field* found = nullptr;
  for (const auto& field : run.message().fields())
    if (!source.field.empty() && iequals(field.name(), source.field)) found = &field;
  if (found == nullptr) return std::nullopt;
  const std::string& text = found->text();
  if (source.form == ScoreSource::Form::word)
    return mime::find_ascii_casemap(text, source.positive) != std::string_view::npos ? 1.0 : 0.0;
  std::optional<double> score;
  if (source.form == ScoreSource::Form::marks)
    score = static_cast<double>(std::min(text.find(' '), text.size()));
  else
    score = first_number(text);
  if (!score || !(source.max > 0)) return std::nullopt;
  return std::clamp(*score / source.max, 0.0, 1.0);
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
  const auto result = verdict(run, run.host().spam_source());
  if (code.has(Tag::percent)) return compare(run, code, result, 0, 100);
  return compare(run, code, result, 1, 10);
}

Result<bool> test_virustest(Run& run, const Code& code) {
  return compare(run, code, verdict(run, run.host().virus_source()), 1, 5);
}

}  // namespace postern::sieve
