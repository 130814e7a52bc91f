// postern quota list, postern quota set.
#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "lib/base/text.h"
#include "lib/config/value.h"
#include "lib/log/log.h"
#include "lib/meta/quota_root.h"
#include "tools/command/commands.h"

namespace postern::tools {
namespace {

struct Name {
  std::string_view word;
  meta::Resource resource;
  bool octets;
};
constexpr std::array kNames{
    Name{"storage", meta::Resource::storage, true},
    Name{"message", meta::Resource::message, false},
    Name{"mailbox", meta::Resource::mailbox, false},
    Name{"annotation", meta::Resource::annotation_storage, true},
};

const Name* name_of(std::string_view word) {
  for (const auto& name : kNames)
    if (name.word == word) return &name;
  return nullptr;
}

std::string_view word_of(meta::Resource resource) {
  for (const auto& name : kNames)
    if (name.resource == resource) return name.word;
  return "?";
}

/// "storage=10GiB"
Result<meta::QuotaResource> parse_limit(std::string_view text) {
  const auto equals = text.find('=');
  const Name* name = name_of(text.substr(0, equals));
  if (!name || equals == std::string_view::npos)
    return fail(Errc::bad_syntax,
                "\"{}\" is no limit: storage=10GiB, message=1000, mailbox=50 "
                "or annotation=1MiB",
                text);
  const auto number = text.substr(equals + 1);
  const std::int64_t limit =
      name->octets ? TRY(config::parse_size(number)) : TRY(config::parse_integer(number));
  if (limit < 0) return fail(Errc::bad_syntax, "\"{}\" is negative", text);
  return meta::QuotaResource{name->resource, 0, static_cast<std::uint64_t>(limit)};
}

void print(const meta::QuotaRoot& root, bool json) {
  if (json) {
    nlohmann::json row{{"root", root.root.text()}};
    for (const auto& each : root.resources)
      row[std::string(word_of(each.resource))] = {{"usage", each.usage}, {"limit", *each.limit}};
    fmt::print("{}\n", row.dump());
    return;
  }
  fmt::print("{}\n", root.root.text());
  for (const auto& each : root.resources) {
    const auto percent = *each.limit == 0 ? 100 : each.usage * 100 / *each.limit;
    fmt::print("  {:<10} {} of {} ({} %)\n", word_of(each.resource), each.usage, *each.limit,
               percent);
  }
}

}  // namespace

Result<int> quota_list(const Arguments& arguments, Context& context) {
  meta::Meta* const meta = TRY(context.meta());
  std::vector<meta::QuotaRoot> roots;
  for (const auto& name : arguments.list("root"))
    roots.push_back(TRY(meta->quota(TRY(meta::MailboxName::from_utf8(name)))));
  if (!arguments.has("root")) roots = TRY(meta->quotas());
  for (const auto& root : roots) print(root, arguments.has("--json"));
  return 0;
}

Result<int> quota_set(const Arguments& arguments, Context& context) {
  std::vector<meta::QuotaResource> limits;
  for (const auto& text : arguments.list("limit")) limits.push_back(TRY(parse_limit(text)));
  const auto root = TRY(meta::MailboxName::from_utf8(arguments.text("root")));
  meta::Meta* const meta = TRY(context.meta());
  TRY(meta::check_quota_root(*meta, root));
  const auto now = TRY(meta->set_quota(root, limits));
  LOG(notice, "quota.set", {"mailbox", root.text()},
      {"limits", fmt::format("{}", fmt::join(arguments.list("limit"), ","))});
  if (!limits.empty()) print(now, false);
  return 0;
}

}  // namespace postern::tools
