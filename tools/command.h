// A command of `postern`: its words, its parameters as data, and what it does. command_table.cpp
// lists them all; command_line.cpp makes the parser and the help from the rows.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "tools/context.h"

namespace postern::tools {

struct Parameter {
  enum class Kind {
    flag,      // "--full"
    value,     // "--partition NAME"
    argument,  // "user", required
    optional,  // "user", may be left out
    list,      // "user...", one or more
    rest,      // "user...", none or more
  };
  std::string_view name;
  Kind kind = Kind::argument;
  std::string_view meaning;
};

/// What was given on the command line, by the names of the parameters.
class Arguments {
 public:
  [[nodiscard]] bool has(std::string_view name) const;
  /// "" if it wasn't given.
  [[nodiscard]] const std::string& text(std::string_view name) const;
  [[nodiscard]] const std::vector<std::string>& list(std::string_view name) const;

  std::map<std::string, std::vector<std::string>, std::less<>> values;
};

enum class Needs { configuration, nothing };

struct Command {
  std::string_view name;  // one word or two: "user add"
  std::string_view meaning;
  std::span<const Parameter> parameters;
  /// Prints its result to standard output. The number is the exit status (sysexits.h).
  Result<int> (*run)(const Arguments& arguments, Context& context);
  Needs needs = Needs::configuration;
};

std::span<const Command> commands();

/// The exit status that tells a script what kind of error it was (sysexits.h).
int exit_status(Errc code);

/// main() of `postern`.
int run_command_line(int argc, char** argv);

}  // namespace postern::tools
