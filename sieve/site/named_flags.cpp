#include "sieve/site/named_flags.h"

#include <algorithm>
#include <array>
#include <bit>
#include <string_view>

#include "lib/base/text.h"

namespace postern::site {
namespace {

struct SystemFlag {
  std::string_view name;
  std::uint32_t bit;
};
constexpr std::array kSystemFlags{
    SystemFlag{"\\Seen", store::flag::seen},       SystemFlag{"\\Answered", store::flag::answered},
    SystemFlag{"\\Flagged", store::flag::flagged}, SystemFlag{"\\Deleted", store::flag::deleted},
    SystemFlag{"\\Draft", store::flag::draft},
};

}  // namespace

store::NamedFlags named_flags(const std::vector<std::string>& names) {
  store::NamedFlags out;
  for (const auto& name : names) {
    const auto* system = std::ranges::find_if(
        kSystemFlags, [&](const SystemFlag& flag) { return iequals(flag.name, name); });
    if (system != kSystemFlags.end())
      out.system |= system->bit;
    else if (!name.starts_with('\\'))
      out.keywords.push_back(name);
  }
  return out;
}

std::vector<std::string> flag_names(const store::Flags& flags,
                                    const std::vector<std::string>& keywords) {
  std::vector<std::string> out;
  for (const SystemFlag& flag : kSystemFlags)
    if ((flags.system & flag.bit) != 0) out.emplace_back(flag.name);
  const auto add = [&](std::size_t number) {
    if (number < keywords.size()) out.push_back(keywords[number]);
  };
  for (std::uint64_t left = flags.keywords; left != 0; left &= left - 1)
    add(static_cast<std::size_t>(std::countr_zero(left)));
  for (const auto more : flags.more) add(more.value());
  return out;
}

}  // namespace postern::site
