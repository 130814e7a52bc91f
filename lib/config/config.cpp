#include "lib/config/config.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "lib/base/assert.h"
#include "lib/base/fd.h"
#include "lib/base/text.h"
#include "lib/config/toml_file.h"
#include "lib/config/value.h"

namespace postern::config {
namespace {

/// "service.imap.listen" is an instance of "service.*.listen".
bool is_instance(std::string_view row, std::string_view name) {
  std::size_t at = 0;
  for (const char c : row) {
    if (c == '*') {
      at = std::min(name.find('.', at), name.size());
    } else if (at == name.size() || name[at++] != c) {
      return false;
    }
  }
  return at == name.size();
}

/// The options' rows for looking them up: programs ask for options at each command and message.
struct Rows {
  std::unordered_map<std::string_view, const Option*> plain;
  std::vector<const Option*> patterns;  // with a '*'

  Rows() {
    for (const Option& option : options())
      if (option.name.find('*') == std::string_view::npos)
        plain.emplace(option.name, &option);
      else
        patterns.push_back(&option);
  }
};

const Option* find_option(std::string_view name) {
  static const Rows rows;
  if (const auto at = rows.plain.find(name); at != rows.plain.end()) return at->second;
  const auto at = std::ranges::find_if(rows.patterns,
                                       [&](const Option* o) { return is_instance(o->name, name); });
  return at == rows.patterns.end() ? nullptr : *at;
}

/// Levenshtein distance, for "did you mean".
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t cost = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, cost}));
    }
  }
  return row[b.size()];
}

/// The row's name with its '*' levels taken from `name`.
std::string with_levels_of(std::string_view row, std::string_view name) {
  const auto names = split(name, '.');
  std::string out;
  std::size_t i = 0;
  for (const auto level : split(row, '.')) {
    if (!out.empty()) out += '.';
    out += level == "*" && i < names.size() ? names[i] : level;
    ++i;
  }
  return out;
}

std::string nearest_name(std::string_view name) {
  std::string best;
  std::size_t least = SIZE_MAX;
  for (const Option& option : options()) {
    std::string candidate = with_levels_of(option.name, name);
    const std::size_t d = distance(candidate, name);
    if (d < least) {
      least = d;
      best = std::move(candidate);
    }
  }
  return best;
}

Result<const Option*> known_option(std::string_view name) {
  if (const Option* option = find_option(name)) return option;
  return fail(Errc::bad_syntax, "unknown option '{}' (did you mean '{}'?)", name,
              nearest_name(name));
}

Error at_line(const TomlFile& file, const TomlValue& value, const Error& error) {
  return fail(Errc::bad_syntax, "{}:{}: {}: {}", file.path, value.line, value.name, error.text);
}

std::vector<std::string> comma_list(std::string_view text) {
  std::vector<std::string> out;
  for (const auto piece : split(text, ','))
    if (!trim(piece).empty()) out.emplace_back(trim(piece));
  return out;
}

const Option& row_of(std::string_view name, std::initializer_list<Type> types) {
  const Option* option = find_option(name);
  ASSERT(option != nullptr);
  ASSERT(std::ranges::find(types, option->type) != types.end());
  return *option;
}

}  // namespace

Result<Config> Config::load(const std::string& path) { return parse(TRY(read_file(path)), path); }

Result<Config> Config::parse(std::string_view toml, std::string_view path) {
  const TomlFile file = TRY(read_toml(toml, path));
  Config config;
  config.path_ = path;
  for (const TomlValue& value : file.values) {
    const auto option = known_option(value.name);
    if (!option) return at_line(file, value, option.error());
    if (value.is_list != ((*option)->type == Type::list))
      return at_line(file, value,
                     fail(Errc::bad_syntax, "a list where none is wanted, or none where one is"));
    if (value.is_list) {
      config.lists_[value.name] = value.items;
      continue;
    }
    if (const auto checked = check_value(**option, value.scalar); !checked)
      return at_line(file, value, checked.error());
    config.values_[value.name] = value.scalar;
  }
  return config;
}

Result<void> Config::set(std::string_view assignment) {
  const auto equals = assignment.find('=');
  if (equals == std::string_view::npos)
    return fail(Errc::bad_syntax, "'{}' is not option=value", assignment);
  const std::string name(trim(assignment.substr(0, equals)));
  const std::string_view value = trim(assignment.substr(equals + 1));
  const Option* option = TRY(known_option(name));
  if (option->type == Type::list) {
    lists_[name] = comma_list(value);
    return {};
  }
  TRY(check_value(*option, value));
  values_[name] = value;
  return {};
}

const std::string* Config::find(std::string_view name) const {
  const auto at = values_.find(name);
  return at == values_.end() ? nullptr : &at->second;
}

// The checks at load make these conversions succeed; defaults are checked by a unit test.
bool Config::boolean(std::string_view name) const {
  const Option& option = row_of(name, {Type::boolean});
  const std::string* value = find(name);
  return parse_boolean(value != nullptr ? *value : option.standard).value();
}

std::int64_t Config::integer(std::string_view name) const {
  const Option& option = row_of(name, {Type::integer});
  const std::string* value = find(name);
  return parse_integer(value != nullptr ? *value : option.standard).value();
}

std::uint64_t Config::size(std::string_view name) const {
  const Option& option = row_of(name, {Type::size});
  const std::string* value = find(name);
  return static_cast<std::uint64_t>(
      parse_size(value != nullptr ? *value : option.standard).value());
}

std::chrono::milliseconds Config::duration(std::string_view name) const {
  const Option& option = row_of(name, {Type::duration});
  const std::string* value = find(name);
  return std::chrono::milliseconds(
      parse_duration(value != nullptr ? *value : option.standard).value());
}

std::string Config::text(std::string_view name) const {
  const Option& option = row_of(name, {Type::text});
  const std::string* value = find(name);
  return value != nullptr ? *value : std::string(option.standard);
}

std::vector<std::string> Config::list(std::string_view name) const {
  const Option& option = row_of(name, {Type::list});
  const auto at = lists_.find(name);
  return at != lists_.end() ? at->second : comma_list(option.standard);
}

Result<std::string> Config::secret(std::string_view name) const {
  const Option& option = row_of(name, {Type::secret});
  const std::string* value = find(name);
  const std::string text(value != nullptr ? *value : option.standard);
  if (!text.starts_with("file:")) return text;
  std::string from_file = TRY(read_file(text.substr(5), 64 << 10));
  while (from_file.ends_with('\n') || from_file.ends_with('\r')) from_file.pop_back();
  return from_file;
}

std::vector<std::string> Config::names_under(std::string_view table) const {
  const std::string prefix = std::string(table) + '.';
  std::set<std::string, std::less<>> names;
  const auto collect = [&](const std::string& key) {
    if (key.starts_with(prefix))
      names.emplace(key.substr(prefix.size(), key.find('.', prefix.size()) - prefix.size()));
  };
  for (const auto& [key, value] : values_) collect(key);
  for (const auto& [key, value] : lists_) collect(key);
  return {names.begin(), names.end()};
}

std::map<std::string, std::string> Config::partitions() const {
  std::map<std::string, std::string> paths{{"default", text("partition.default.path")}};
  for (const std::string& name : names_under("partition"))
    paths[name] = text("partition." + name + ".path");
  return paths;
}

}  // namespace postern::config
