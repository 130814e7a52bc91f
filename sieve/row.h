// The form of a command's or test's row in the table (sieve/table.cpp): its arguments, the
// capability that it needs, and the functions that check and run it.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "lib/base/result.h"
#include "sieve/code.h"

namespace postern::sieve {

class Checker;
class Run;

enum class Arg : std::uint8_t { none, number, string, strings };

struct TagRow {
  std::string_view name;
  Tag tag;
  Arg value = Arg::none;
  Cap needs = Cap::none;
  std::uint8_t group = 0;  // tags of one group (not 0) exclude each other
};

/// What may follow the arguments.
enum class Tail : std::uint8_t { none, block, test_and_block, test, tests };

/// What a statement does to the flow of its script.
enum class Flow : std::uint8_t { next, stop, return_, break_ };

/// Checks what the table can't say. Reports through the checker; may fill match, part, regexes,
/// globs.
using Check = void (*)(Checker&, Code&);
using RunTest = Result<bool> (*)(Run&, const Code&);
using RunCommand = Result<Flow> (*)(Run&, const Code&);

struct Row {
  std::string_view name;
  Cap needs = Cap::none;
  std::array<std::span<const TagRow>, 4> tags{};
  std::array<Arg, 3> args{};
  std::array<std::string_view, 3> arg_names{};  // for diagnostics: "a mailbox"
  bool first_optional = false;                  // the first argument may be left out
  bool last_optional = false;                   // the last one may
  Tail tail = Tail::none;
  Check check = nullptr;
  RunTest test = nullptr;        // set: it is a test
  RunCommand command = nullptr;  // set: it is a command

  [[nodiscard]] std::size_t arity() const;
};

/// The row called `name` (lower case) among the commands or the tests; nullptr if there is none.
const Row* find_command(std::string_view name);
const Row* find_test(std::string_view name);
std::span<const Row> all_commands();
std::span<const Row> all_tests();

}  // namespace postern::sieve
