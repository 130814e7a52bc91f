// Special uses: see special_use.h.
#include "imapd/special_use.h"

#include <algorithm>
#include <array>

#include "lib/base/text.h"

namespace postern::imap {
namespace {

constexpr std::array<std::string_view, 8> kUses{"\\All",       "\\Archive", "\\Drafts", "\\Flagged",
                                                "\\Important", "\\Junk",    "\\Sent",   "\\Trash"};

}  // namespace

Result<std::string> known_special_uses(Context& ctx, const std::vector<std::string>& uses) {
  std::string out;
  for (const std::string& use : uses) {
    const auto* const known = std::find_if(kUses.begin(), kUses.end(),
                                           [&use](std::string_view k) { return iequals(k, use); });
    if (known == kUses.end()) {
      ctx.out.code("USEATTR");
      return fail(Errc::not_supported, "{}", use);
    }
    if (!out.empty()) out += ' ';
    out += *known;
  }
  return out;
}

}  // namespace postern::imap
