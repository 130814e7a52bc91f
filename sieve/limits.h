// What a script may use up. A script that hits a limit ends with a runtime error, and that is an
// implicit keep (RFC 5228 §2.10.6): a limit never costs mail.
#pragma once

#include <cstddef>
#include <cstdint>

namespace postern::sieve {

struct Limits {
  // When the script is compiled.
  std::size_t script_octets = 1U << 20;
  std::size_t nesting = 32;            // blocks and tests in each other; RFC 5228 §2.10.5 asks 15
  std::size_t list_strings = 10'000;   // strings in one string list
  std::size_t string_octets = 65'536;  // one string of the script
  std::size_t commands = 20'000;       // commands and tests of one script
  std::size_t diagnostics = 20;        // the compiler stops after so many errors

  // When it runs.
  std::uint64_t steps = 2'000'000;          // a statement or comparison is a step
  std::size_t variables = 256;              // RFC 5229 §6 asks for at least 128
  std::size_t variable_octets = 65'536;     // RFC 5229 §6 asks for at least 4,000
  std::size_t variables_octets = 1U << 20;  // all variables of a run together
  std::size_t expanded_octets = 65'536;     // one string after variable expansion
  std::size_t include_depth = 10;
  std::size_t includes = 255;
  std::size_t actions = 64;
  std::size_t redirects = 5;
  std::size_t notifications = 5;
  std::size_t pipes = 4;
  std::size_t header_edits = 64;
  std::size_t header_field_octets = 16'384;  // a field made by addheader
  std::size_t flags = 128;
  std::size_t message_versions = 8;        // edited copies of one message that actions refer to
  std::size_t edited_octets = 128U << 20;  // all edited copies together
  std::size_t body_octets = 32U << 20;     // decoded body text that one run looks at
  std::size_t received_fields = 50;        // more mean a mail loop: redirect fails (RFC 5321 §6.3)
  std::size_t regex_octets = 2'048;        // a regular expression's own length
  std::size_t regex_memory = 1U << 20;     // RE2's program and automaton
  std::int64_t duplicate_seconds_max = 90LL * 86'400;
  std::int64_t duplicate_seconds_default = 7LL * 86'400;
  std::int64_t vacation_seconds_min = 60;
  std::int64_t vacation_days_min = 1;
  std::int64_t vacation_days_default = 7;
  std::int64_t vacation_days_max = 90;
};

}  // namespace postern::sieve
