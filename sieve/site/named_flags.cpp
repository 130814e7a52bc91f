#include "sieve/site/named_flags.h"

#include <algorithm>
#include <array>
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

}  // namespace postern::site
