// Variables of a run (RFC 5229, RFC 6609 §3.4): names, values, and the expansion of strings.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/base/text.h"
#include "sieve/comparator.h"
#include "sieve/limits.h"

namespace postern::sieve {

/// A variable's name as it stands in `set` or between "${" and "}".
struct VariableName {
  enum class Kind { invalid, plain, match, global, environment };
  Kind kind = Kind::invalid;
  std::string_view name;   // without its namespace
  std::size_t number = 0;  // of a match variable
};
VariableName parse_variable_name(std::string_view text);

using VariableMap = std::map<std::string, std::string, ILess>;

/// The variables that one script sees. Included scripts have their own; globals are shared.
class Variables {
 public:
  Variables(VariableMap& globals, std::size_t& octets, const Limits& limits)
      : globals_(globals), octets_(octets), limits_(limits) {}

  [[nodiscard]] std::string_view get(const VariableName& name) const;
  /// A value that is too long is cut between characters, which is no error (RFC 5229 §6).
  /// @error limit  too many variables, or too much in all of them
  Result<void> set(const VariableName& name, std::string_view value);
  [[nodiscard]] bool is_local(std::string_view name) const { return locals_.contains(name); }
  void declare_global(std::string_view name) { global_names_.emplace(name); }

  [[nodiscard]] const Captures& captures() const { return captures_; }
  void set_captures(Captures captures) { captures_ = std::move(captures); }
  /// Namespace "env" (vnd.dovecot.environment); null: it is not there.
  void set_environment(std::function<std::string(std::string_view)> environment) {
    environment_ = std::move(environment);
  }

  /// Replaces each ${name}; what is no variable reference stays (RFC 5229 §3). Cut at the limit.
  [[nodiscard]] std::string expand(std::string_view text) const;

 private:
  VariableMap& globals_;
  std::size_t& octets_;
  const Limits& limits_;
  VariableMap locals_;
  std::set<std::string, ILess> global_names_;
  Captures captures_;
  std::function<std::string(std::string_view)> environment_;
};

}  // namespace postern::sieve
