// Answers from the lines of a case.
#include "tests/unit/sieve/fake_host.h"

#include "lib/base/text.h"
#include "sieve/date_parts.h"
#include "sieve/regex.h"

namespace postern::sieve {
namespace {

std::shared_ptr<const Regex> regex(std::string_view text) {
  return Regex::open(text, Comparator::ascii_casemap, {}).value();
}

void add_to(ScoreSource& source, std::string_view word) {
  const auto equals = word.find('=');
  const auto value = word.substr(equals + 1);
  if (word == "marks") {
    source.form = ScoreSource::Form::marks;
  } else if (word.starts_with("score=")) {
    source.score.pattern = regex(value);
  } else if (word.starts_with("max=")) {
    source.max_place.field = value.substr(0, value.find(':'));
    source.max_place.pattern = regex(value.substr(value.find(':') + 1));
  } else {
    source.words.emplace_back(std::stoi(std::string(word.substr(0, equals))), value);
  }
}

// "X-Spam-Score 10", "X-Spam-Level 5 marks", "X-Virus words 1=clean 5=infected", and perhaps
// "score=EXPRESSION" or "max=FIELD:EXPRESSION" behind it
ScoreSource score_source(std::string_view value) {
  const auto words = split(value, ' ');
  ScoreSource source;
  source.score.field = words.at(0);
  if (words.at(1) == "words")
    source.form = ScoreSource::Form::words;
  else
    source.max = std::stod(std::string(words[1]));
  for (std::size_t i = 2; i < words.size(); ++i) add_to(source, words[i]);
  return source;
}

}  // namespace

bool FakeHost::has(const std::string& kind, std::string_view value) const {
  const auto [first, last] = facts_.equal_range(kind);
  for (auto at = first; at != last; ++at)
    if (at->second == value) return true;
  return false;
}

bool FakeHost::set(std::string_view name, std::string_view value) {
  if (name == "now") {
    now_ = parse_iso8601(value).value();
  } else if (name == "zone") {
    zone_ = parse_zone(value).value();
  } else if (name == "spam") {
    spam_ = score_source(value);
  } else if (name == "virus") {
    virus_ = score_source(value);
  } else {
    facts_.emplace(name, value);
    for (const std::string_view known : {"mailbox", "mailboxid", "specialuse", "metadata", "seen",
                                         "answered", "own", "list", "environment"})
      if (name == known) return true;
    return false;
  }
  return true;
}

Result<bool> FakeHost::special_use_exists(std::string_view mailbox, std::string_view use) {
  const auto [first, last] = facts_.equal_range("specialuse");
  for (auto at = first; at != last; ++at) {
    const auto words = split(at->second, ' ');
    if (iequals(words.at(1), use) && (mailbox.empty() || words.at(0) == mailbox)) return true;
  }
  return false;
}

Result<std::optional<std::string>> FakeHost::metadata(std::string_view mailbox,
                                                      std::string_view annotation) {
  const auto key = std::string(mailbox).append(" ").append(annotation).append("=");
  const auto [first, last] = facts_.equal_range("metadata");
  for (auto at = first; at != last; ++at)
    if (at->second.starts_with(key)) return std::optional(at->second.substr(key.size()));
  return std::optional<std::string>();
}

Result<std::optional<std::string>> FakeHost::script(Location location, std::string_view name) {
  const auto key = (location == Location::global ? "global " : "personal ") + std::string(name);
  const auto at = scripts.find(key);
  return at == scripts.end() ? std::optional<std::string>() : std::optional(at->second);
}

Result<bool> FakeHost::duplicate_seen(std::string_view handle, std::string_view id) {
  return has("seen", std::string(handle).append(" ").append(id));
}

Result<bool> FakeHost::vacation_answered(std::string_view, std::string_view address, std::int64_t) {
  return has("answered", address);
}

std::vector<std::string> FakeHost::own_addresses() {
  std::vector<std::string> out;
  const auto [first, last] = facts_.equal_range("own");
  for (auto at = first; at != last; ++at) out.push_back(at->second);
  return out;
}

bool FakeHost::list_known(std::string_view list) {
  const auto [first, last] = facts_.equal_range("list");
  for (auto at = first; at != last; ++at)
    if (split(at->second, ' ').front() == list) return true;
  return false;
}

Result<bool> FakeHost::list_contains(std::string_view list, std::string_view value) {
  if (!list_known(list)) return fail(Errc::no_such_object, "no list {}", list);
  return has("list", std::string(list).append(" ").append(value));
}

Result<std::vector<std::string>> FakeHost::list_addresses(std::string_view list) {
  std::vector<std::string> out;
  const auto [first, last] = facts_.equal_range("list");
  for (auto at = first; at != last; ++at)
    if (const auto words = split(at->second, ' '); words.front() == list)
      out.emplace_back(words.at(1));
  return out;
}

std::optional<std::string> FakeHost::environment(std::string_view item) {
  const auto [first, last] = facts_.equal_range("environment");
  for (auto at = first; at != last; ++at)
    if (at->second.starts_with(std::string(item) + "=")) return at->second.substr(item.size() + 1);
  return std::nullopt;
}

}  // namespace postern::sieve
