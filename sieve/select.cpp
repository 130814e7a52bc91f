// Field selection for header, address, exists and date.
#include "sieve/select.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "sieve/checker.h"

namespace postern::sieve {
namespace {

std::vector<std::uint32_t> parts_of(Run& run, const Code& code) {
  const auto part = run.current_part();
  if (!code.has(Tag::anychild)) return {part};
  return run.message().parts_below(part);
}

// Leaves of the fields from `first` on the one that :index and :last choose, if it is there.
void pick(const Code& code, std::size_t first, std::vector<const Field*>& out) {
  const std::size_t count = out.size() - first;
  const std::uint64_t index = code.find(Tag::index)->number;
  if (index == 0 || index > count) return out.resize(first);
  const auto at = static_cast<std::size_t>(index);
  out[first] = code.has(Tag::last) ? out[first + count - at] : out[first + at - 1];
  out.resize(first + 1);
}

// The fields of one part. RFC 5260 §6: with several names, all their fields are counted, in the
// order of the names.
void select_in(const std::vector<Field>& fields, const Code& code, const Strings& names,
               std::vector<const Field*>& out) {
  const std::size_t before = out.size();
  for (const auto name : names) {
    if (name.empty()) continue;
    for (const auto& field : fields)
      if (field.name().size() == name.size() && iequals(field.name(), name)) out.push_back(&field);
  }
  if (code.has(Tag::index)) pick(code, before, out);
}

}  // namespace

bool is_field_name(std::string_view name) {
  return !name.empty() &&
         std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7F && c != ':'; });
}

Result<std::span<const Field* const>> select_fields(Run& run, const Code& code,
                                                    const Strings& names) {
  auto& out = run.selected();
  out.clear();
  if (!code.has(Tag::mime)) {
    const auto& fields = run.message().fields(run.frame().root);
    TRY(run.spend(names.size() * (1 + fields.size() / 64)));
    select_in(fields, code, names, out);
    return std::span(out);
  }
  for (const auto part : parts_of(run, code)) {
    const auto& fields = run.message().fields(part);
    TRY(run.spend(names.size() * (1 + fields.size() / 64)));
    select_in(fields, code, names, out);
  }
  return std::span(out);
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
