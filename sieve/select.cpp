// Field selection for header, address, exists and date.
#include "sieve/select.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "sieve/checker.h"

namespace postern::sieve {
namespace {

std::vector<std::uint32_t> parts_of(Run& run, const Code& code) {
  if (!code.has(Tag::mime)) return {run.frame().root};
  const auto part = run.current_part();
  if (!code.has(Tag::anychild)) return {part};
  return run.message().parts_below(part);
}

void pick(const Code& code, std::vector<const Field*>& found, std::vector<const Field*>& out) {
  const Value* index = code.find(Tag::index);
  if (index == nullptr) {
    out.insert(out.end(), found.begin(), found.end());
    return;
  }
  if (index->number == 0 || index->number > found.size()) return;
  const auto at = static_cast<std::size_t>(index->number);
  out.push_back(code.has(Tag::last) ? found[found.size() - at] : found[at - 1]);
}

}  // namespace

bool is_field_name(std::string_view name) {
  return !name.empty() &&
         std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7F && c != ':'; });
}

Result<std::vector<const Field*>> select_fields(Run& run, const Code& code, const Strings& names) {
  std::vector<const Field*> out;
  for (const auto part : parts_of(run, code)) {
    const auto& fields = run.message().fields(part);
    for (const auto name : names) {
      TRY(run.spend(1 + fields.size() / 64));
      std::vector<const Field*> found;
      for (const auto& field : fields)
        if (!name.empty() && iequals(field.name(), name)) found.push_back(&field);
      pick(code, found, out);
    }
  }
  return out;
}

void check_fields(Checker& checker, const Code& code, const Value& names) {
  if (code.has(Tag::last) && !code.has(Tag::index))
    checker.error(code.at, "':last' needs ':index'");
  if (const Value* index = code.find(Tag::index); index != nullptr && index->number == 0)
    checker.error(index->at, "':index' counts from 1");
  if (code.has(Tag::anychild) && !code.has(Tag::mime))
    checker.error(code.at, "':anychild' needs ':mime'");
  for (const auto& name : names.strings)
    if (!name.has_variables && !is_field_name(name.text))
      checker.warning(name.at, fmt::format("\"{}\" can't be a header field's name", name.text));
}

}  // namespace postern::sieve
