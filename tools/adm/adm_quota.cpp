// posternadm: setquota, listquota, listquotaroot (RFC 9208).
#include <fmt/format.h>

#include <array>

#include "lib/base/text.h"
#include "tools/adm/commands.h"

namespace postern::tools::adm {
namespace {

struct Resource {
  std::string_view name;   // RFC 9208 §5
  std::string_view alias;  // cyradm's
  bool kibi;               // counted in units of 1024 octets
};
constexpr std::array kResources{
    Resource{"STORAGE", "STORAGE", true},
    Resource{"MESSAGE", "X-NUM-MESSAGES", false},
    Resource{"MAILBOX", "X-NUM-FOLDERS", false},
    Resource{"ANNOTATION-STORAGE", "X-ANNOTATION-STORAGE", true},
};

Result<Resource> find_resource(std::string_view word) {
  for (const auto& row : kResources)
    if (iequals(row.name, word) || iequals(row.alias, word)) return row;
  return fail(Errc::bad_syntax, "\"{}\" is no resource", word);
}

/// "500", "10M", "2G" in the resource's unit.
Result<std::uint64_t> parse_limit(const Resource& resource, std::string_view text) {
  constexpr std::string_view kSuffixes = "KMGT";
  std::uint64_t factor = 1;
  const auto suffix =
      text.empty() ? std::string_view::npos : kSuffixes.find(ascii_upper(text.back()));
  if (suffix != std::string_view::npos) {
    text.remove_suffix(1);
    // K is the unit of storage; of numbers it is a thousand.
    for (std::size_t i = resource.kibi ? 1 : 0; i <= suffix; ++i)
      factor *= resource.kibi ? 1024 : 1000;
  }
  const auto number = parse_u64(text);
  if (!number || *number > UINT64_MAX / factor / 1024)
    return fail(Errc::bad_syntax, "\"{}\" is no limit", text);
  return *number * factor;
}

/// "STORAGE 10/512 (1.9 %)" for each resource of a QUOTA response.
void say_quota(const AdmSession& session, const Untagged& quota, std::string_view indent) {
  if (quota.values.size() < 2) return;
  const auto& items = quota.values[1].items;
  for (std::size_t i = 0; i + 2 < items.size(); i += 3) {
    const auto used = parse_u64(items[i + 1].text).value_or(0);
    const auto limit = parse_u64(items[i + 2].text).value_or(0);
    const double percent =
        limit == 0 ? 100.0 : 100.0 * static_cast<double>(used) / static_cast<double>(limit);
    session.say(fmt::format("{}{} {}/{} ({:.1f} %)", indent, items[i].text, used, limit, percent));
  }
}

}  // namespace

Result<void> set_quota(AdmSession& session, const Words& args) {
  Words pairs(args.begin() + 1, args.end());
  const bool none = pairs.size() == 1 && pairs[0] == "none";
  // cyradm's short form: the number alone is STORAGE.
  if (pairs.size() == 1 && !none) pairs.insert(pairs.begin(), "STORAGE");
  std::string list;
  if (!none && pairs.size() % 2 != 0) return fail(Errc::bad_syntax, "a resource without a limit");
  for (std::size_t i = 0; !none && i < pairs.size(); i += 2) {
    const auto resource = TRY(find_resource(pairs[i]));
    if (pairs[i + 1] == "none") continue;
    list += fmt::format("{}{} {}", list.empty() ? "" : " ", resource.name,
                        TRY(parse_limit(resource, pairs[i + 1])));
  }
  TRY(session.run(fmt::format("SETQUOTA {} ({})", TRY(quoted(args[0])), list)));
  return {};
}

Result<void> list_quota(AdmSession& session, const Words& args) {
  const auto answer = TRY(session.run("GETQUOTA " + TRY(quoted(args[0]))));
  for (const auto* quota : answer.all("QUOTA")) say_quota(session, *quota, "");
  return {};
}

Result<void> list_quota_root(AdmSession& session, const Words& args) {
  const auto answer = TRY(session.run("GETQUOTAROOT " + TRY(quoted(args[0]))));
  for (const auto* quota : answer.all("QUOTA")) {
    if (!quota->values.empty()) session.say(quota->values[0].text);
    say_quota(session, *quota, "  ");
  }
  if (answer.all("QUOTA").empty()) session.say("no quota");
  return {};
}

}  // namespace postern::tools::adm
