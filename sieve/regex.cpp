// The only file that knows RE2.
#include "sieve/regex.h"

// RE2's headers trip over our warnings.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#include <re2/re2.h>
#pragma GCC diagnostic pop

#include <algorithm>

#include "lib/base/text.h"

namespace postern::sieve {

Regex::Regex() = default;
Regex::~Regex() = default;

Result<std::shared_ptr<const Regex>> Regex::open(std::string_view expression, Comparator comparator,
                                                 const Limits& limits) {
  if (expression.size() > limits.regex_octets)
    return fail(Errc::too_big, "this regular expression is too long (over {} octets)",
                limits.regex_octets);
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(static_cast<std::int64_t>(limits.regex_memory));
  options.set_case_sensitive(comparator == Comparator::octet);
  if (!is_utf8(expression)) options.set_encoding(RE2::Options::EncodingLatin1);
  std::shared_ptr<Regex> regex(new Regex);
  regex->re2_ =
      std::make_unique<RE2>(re2::StringPiece(expression.data(), expression.size()), options);
  if (!regex->re2_->ok())
    return fail(Errc::bad_syntax, "this regular expression is wrong: {}", regex->re2_->error());
  return std::shared_ptr<const Regex>(std::move(regex));
}

bool Regex::search(std::string_view text, Captures* captures) const {
  const int groups = captures == nullptr ? 0 : std::min(1 + re2_->NumberOfCapturingGroups(), 10);
  std::vector<re2::StringPiece> found(static_cast<std::size_t>(groups));
  const re2::StringPiece piece(text.data(), text.size());
  if (!re2_->Match(piece, 0, text.size(), RE2::UNANCHORED, found.data(), groups)) return false;
  if (captures == nullptr) return true;
  captures->clear();
  for (const auto& group : found) captures->emplace_back(group.data() ? group.as_string() : "");
  return true;
}

std::string quote_regex(std::string_view text) {
  constexpr std::string_view kOperators = "\\^$.[]|()?*+{}";
  std::string out;
  for (const char c : text) {
    if (kOperators.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

}  // namespace postern::sieve
