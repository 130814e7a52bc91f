// Which header fields a test means: of which part, by name, and with :index which of them.
#pragma once

#include <span>
#include <string_view>

#include "sieve/run.h"

namespace postern::sieve {

/// RFC 5322 §3.6.8: printable ASCII without the colon.
bool is_field_name(std::string_view name);

/// The fields of these names in the parts that :mime and :anychild choose, :index and :last
/// applied to each name in each part (RFC 5260 §6, RFC 5703 §4). Good until the next selection.
Result<std::span<const Field* const>> select_fields(Run& run, const Code& code,
                                                    const Strings& names);

/// Reports :last without :index, and names that no field can have.
void check_fields(Checker& checker, const Code& code, const Value& names);

}  // namespace postern::sieve
