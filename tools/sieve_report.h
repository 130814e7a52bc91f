// The outcome of a script for people and for programs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sieve/sieve.h"

namespace postern::tools {

/// To standard output, one a line: file:line:column: text; warnings say that they are some.
void print_diagnostics(const std::string& file, const sieve::Diagnostics& diagnostics);

/// One JSON object for each action in order; doc/sieve.md, "Output of postern sieve test". An error
/// of the run comes first, before the implicit keep that it caused.
/// With `uid` each begins with the message's.
std::vector<std::string> json_lines(const sieve::Outcome& outcome,
                                    std::optional<std::uint32_t> uid = {});
/// The same for people.
std::vector<std::string> text_lines(const sieve::Outcome& outcome,
                                    std::optional<std::uint32_t> uid = {});

}  // namespace postern::tools
