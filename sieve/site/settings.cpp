#include "sieve/site/settings.h"

#include <cstdlib>

#include "lib/base/text.h"
#include "lib/config/hostname.h"
#include "sieve/regex.h"

namespace postern::site {
namespace {

using sieve::ScoreSource;

/// The options of one test, and the highest grade of its scale (RFC 5235 §2.1, §3).
struct ScoreOptions {
  std::string_view field, form, max, words;
  int grades;
};
constexpr ScoreOptions kSpam{"sieve.spamtest_field", "sieve.spamtest_form", "sieve.spamtest_max",
                             "sieve.spamtest_words", 10};
constexpr ScoreOptions kVirus{"sieve.virustest_field", "sieve.virustest_form",
                              "sieve.virustest_max", "sieve.virustest_words", 5};

/// "X-Spam-Status: score=(-?[0-9.]+)": a field's name, perhaps with an expression behind a colon.
Result<ScoreSource::Place> place_of(std::string_view option, const std::string& text) {
  ScoreSource::Place out;
  const auto colon = text.find(':');
  out.field = trim(std::string_view(text).substr(0, colon));
  if (colon == std::string::npos) return out;
  const auto expression = trim(std::string_view(text).substr(colon + 1));
  auto pattern = sieve::Regex::open(expression, sieve::Comparator::ascii_casemap, {});
  if (!pattern) return fail(Errc::bad_syntax, "{}: {}", option, pattern.error().text);
  out.pattern = std::move(*pattern);
  return out;
}

Result<ScoreSource::Form> form_of(std::string_view option, std::string_view text) {
  if (text == "number") return ScoreSource::Form::number;
  if (text == "marks") return ScoreSource::Form::marks;
  if (text == "words") return ScoreSource::Form::words;
  return fail(Errc::bad_syntax, "{}: \"{}\" is none of number, marks, words", option, text);
}

/// A number above 0, or the place where one stands.
Result<void> read_max(std::string_view option, const std::string& text, ScoreSource& to) {
  char* end = nullptr;
  to.max = std::strtod(text.c_str(), &end);
  if (!text.empty() && *end == '\0') {
    if (to.max > 0) return {};
    return fail(Errc::bad_syntax, "{}: {} is not above 0", option, text);
  }
  to.max_place = TRY(place_of(option, text));
  return {};
}

/// "5=infected"
Result<std::pair<int, std::string>> word_of(const ScoreOptions& options, const std::string& text) {
  const auto equals = std::min(text.find('='), text.size());
  const auto grade = parse_u32(trim(std::string_view(text).substr(0, equals)));
  if (!grade || *grade < 1 || *grade > static_cast<std::uint32_t>(options.grades) ||
      equals + 1 >= text.size())
    return fail(Errc::bad_syntax, "{}: \"{}\" is not GRADE=TEXT with a grade of 1 to {}",
                options.words, text, options.grades);
  return std::pair(static_cast<int>(*grade),
                   std::string(trim(std::string_view(text).substr(equals + 1))));
}

Result<ScoreSource> score_source(const config::Config& config, const ScoreOptions& options) {
  ScoreSource out;
  out.score = TRY(place_of(options.field, config.text(options.field)));
  out.form = TRY(form_of(options.form, config.text(options.form)));
  TRY(read_max(options.max, config.text(options.max), out));
  for (const auto& word : config.list(options.words))
    out.words.push_back(TRY(word_of(options, word)));
  if (!out.score.field.empty() && out.form == ScoreSource::Form::words && out.words.empty())
    return fail(Errc::bad_syntax, "{}: the form words needs some", options.words);
  return out;
}

}  // namespace

Result<Settings> Settings::from(const config::Config& config) {
  Settings out;
  out.hostname = config::hostname_of(config);
  out.domain = config.text("auth.default_domain");
  out.prefixes = meta::NamespacePrefixes::from(config);
  out.autocreate = config.boolean("sieve.autocreate");
  out.spam = TRY(score_source(config, kSpam));
  out.virus = TRY(score_source(config, kVirus));
  for (const auto& list : config.names_under("sieve.list")) {
    const std::string name = config.text("sieve.list." + list + ".name");
    out.lists.emplace(name.empty() ? list : name, config.text("sieve.list." + list + ".file"));
  }
  out.address_book = config.text("sieve.address_book");
  out.webhooks = config.list("sieve.webhooks");
  for (const auto& prefix : out.webhooks)
    if (!prefix.starts_with("https://") && !prefix.starts_with("http://"))
      return fail(Errc::bad_syntax,
                  "sieve.webhooks: \"{}\" begins with neither https:// nor http://", prefix);
  return out;
}

std::string Settings::address_of(const meta::UserName& user) const {
  if (!user.domain().empty()) return user.text();
  return user.text() + '@' + (domain.empty() ? hostname : domain);
}

}  // namespace postern::site
