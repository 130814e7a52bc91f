#include "lib/config/value.h"

#include <array>
#include <charconv>

namespace postern::config {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};
constexpr std::array kDurations{Unit{"ms", 1},       Unit{"s", 1000},       Unit{"min", 60'000},
                                Unit{"h", 3600'000}, Unit{"d", 86'400'000}, Unit{"w", 604'800'000}};
constexpr std::array kSizes{Unit{"B", 1}, Unit{"KiB", 1 << 10}, Unit{"MiB", 1 << 20},
                            Unit{"GiB", 1 << 30}, Unit{"TiB", std::int64_t{1} << 40}};

struct Measured {
  std::int64_t number = 0;
  std::string_view unit;
};

Result<Measured> number_and_unit(std::string_view text) {
  Measured out;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), out.number);
  if (error != std::errc()) return fail(Errc::bad_syntax, "'{}' is not a number", text);
  out.unit = text.substr(static_cast<std::size_t>(rest - text.data()));
  return out;
}

template <std::size_t N>
Result<std::int64_t> scaled(std::string_view text, const std::array<Unit, N>& units,
                            std::string_view hint) {
  const Measured value = TRY(number_and_unit(text));
  for (const Unit& unit : units) {
    std::int64_t out = 0;
    if (unit.name != value.unit) continue;
    if (__builtin_mul_overflow(value.number, unit.factor, &out)) break;
    return out;
  }
  return fail(Errc::bad_syntax, "'{}' is not one like {}", text, hint);
}

Result<void> in_range(const Option& option, std::int64_t value) {
  if (value >= option.least && value <= option.most) return {};
  return fail(Errc::bad_syntax, "{} is out of range ({} to {})", value, option.least, option.most);
}

}  // namespace

Result<std::int64_t> parse_duration(std::string_view text) {
  if (text == "0") return 0;
  return scaled(text, kDurations, "500ms, 15s, 30min, 2h or 7d");
}

Result<std::int64_t> parse_size(std::string_view text) {
  if (text.find_first_not_of("0123456789") == std::string_view::npos) return parse_integer(text);
  return scaled(text, kSizes, "512, 64KiB, 10MiB or 1GiB");
}

Result<std::int64_t> parse_integer(std::string_view text) {
  const Measured value = TRY(number_and_unit(text));
  if (!value.unit.empty()) return fail(Errc::bad_syntax, "'{}' is not a number", text);
  return value.number;
}

Result<bool> parse_boolean(std::string_view text) {
  if (text == "true" || text == "yes") return true;
  if (text == "false" || text == "no") return false;
  return fail(Errc::bad_syntax, "'{}' is neither true nor false", text);
}

Result<void> check_value(const Option& option, std::string_view text) {
  switch (option.type) {
    case Type::boolean:
      TRY(parse_boolean(text));
      return {};
    case Type::integer:
      return in_range(option, TRY(parse_integer(text)));
    case Type::size:
      return in_range(option, TRY(parse_size(text)));
    case Type::duration:
      return in_range(option, TRY(parse_duration(text)));
    case Type::text:
    case Type::secret:
    case Type::list:
      return {};
  }
  return {};
}

}  // namespace postern::config
