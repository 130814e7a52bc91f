// duplicate (RFC 7352). The host knows what earlier runs marked; marks of this run are handed over
// with the outcome and count only once the delivery is done.
#include <algorithm>

#include "lib/base/text.h"
#include "sieve/functions.h"
#include "sieve/select.h"

namespace postern::sieve {
namespace {

// Nothing: there is no such field, the test is false and marks nothing (RFC 7352 §3.1).
std::optional<std::string> unique_id(Run& run, const Code& code) {
  if (code.has(Tag::uniqueid)) return run.tag_string(code, Tag::uniqueid);
  const auto name = run.tag_string(code, Tag::header, "Message-ID");
  for (const auto& field : run.message().fields(run.frame().root))
    if (is_field_name(name) && iequals(field.name(), name)) return field.text();
  return std::nullopt;
}

}  // namespace

Result<bool> test_duplicate(Run& run, const Code& code) {
  const auto id = unique_id(run, code);
  if (!id) return false;
  DuplicateMark mark{run.tag_string(code, Tag::handle), *id, run.limits().duplicate_seconds_default,
                     code.has(Tag::last), false};
  if (const Value* seconds = code.find(Tag::seconds)) {
    if (seconds->number == 0) return false;
    const auto most = static_cast<std::uint64_t>(run.limits().duplicate_seconds_max);
    mark.seconds = static_cast<std::int64_t>(std::min(seconds->number, most));
  }
  mark.seen = TRY(run.host().duplicate_seen(mark.handle, mark.unique_id));
  const bool seen = mark.seen;
  if (!seen || mark.last) run.outcome().marks.push_back(std::move(mark));
  if (run.outcome().marks.size() > run.limits().actions)
    return fail(Errc::limit, "too many duplicate tests");
  return seen;
}

}  // namespace postern::sieve
