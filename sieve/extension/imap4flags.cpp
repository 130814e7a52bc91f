// setflag, addflag, removeflag and hasflag (RFC 5232).
#include <fmt/format.h>

#include "sieve/flag_list.h"
#include "sieve/functions.h"

namespace postern::sieve {
namespace {

void check_variable(Checker& checker, const Code& code, const Text& name) {
  if (!checker.has(Cap::variables))
    checker.error(code.at, "a variable of flags needs: require \"variables\";");
  else if (!name.has_variables &&
           parse_variable_name(name.text).kind != VariableName::Kind::plain &&
           parse_variable_name(name.text).kind != VariableName::Kind::global)
    checker.error(name.at, fmt::format("\"{}\" can't be a variable's name", name.text));
}

std::vector<std::string> flags_in(Run& run, std::string_view variable) {
  std::vector<std::string> flags;
  add_flags(Strings::of(std::string(run.frame().variables.get(parse_variable_name(variable)))),
            flags);
  return flags;
}

// Applies `change` to the variable that the command names, or to the internal one.
template <typename Change>
Result<Flow> change_flags(Run& run, const Code& code, Change change) {
  const Strings lists = run.strings(code.args[1]);
  if (code.args[0].kind == Value::Kind::none) {
    change(lists, run.flags());
    if (run.flags().size() > run.limits().flags) return fail(Errc::limit, "too many flags");
    return Flow::next;
  }
  const auto name = run.arg_string(code, 0);
  auto flags = flags_in(run, name);
  change(lists, flags);
  if (flags.size() > run.limits().flags) return fail(Errc::limit, "too many flags");
  TRY(run.frame().variables.set(parse_variable_name(name), join_flags(flags)));
  return Flow::next;
}

}  // namespace

void check_flag_command(Checker& checker, Code& code) {
  if (code.args[0].kind != Value::Kind::none)
    check_variable(checker, code, code.args[0].strings.front());
}

Result<Flow> run_setflag(Run& run, const Code& code) {
  return change_flags(run, code, [](const Strings& lists, std::vector<std::string>& flags) {
    flags.clear();
    add_flags(lists, flags);
  });
}

Result<Flow> run_addflag(Run& run, const Code& code) { return change_flags(run, code, add_flags); }

Result<Flow> run_removeflag(Run& run, const Code& code) {
  return change_flags(run, code, remove_flags);
}

void check_hasflag(Checker& checker, Code& code) {
  check_match(checker, code);
  if (code.args[0].kind == Value::Kind::none) return;
  for (const auto& name : code.args[0].strings) check_variable(checker, code, name);
}

// RFC 5232 §4: each flag of the variables against each flag of the keys.
Result<bool> test_hasflag(Run& run, const Code& code) {
  std::vector<std::string> flags;
  if (code.args[0].kind == Value::Kind::none) {
    flags = run.flags();
  } else {
    for (const auto name : run.strings(code.args[0]))
      for (auto& flag : flags_in(run, name)) flags.push_back(std::move(flag));
  }
  if (code.match.type == MatchType::count || code.match.type == MatchType::matches ||
      code.match.type == MatchType::regex)
    return run.match(code, code.args[1], {flags.begin(), flags.end()});
  Value keys = code.args[1];
  keys.strings.clear();
  for (const auto list : run.strings(code.args[1]))
    for (const auto word : split(list, ' '))
      if (!word.empty()) keys.strings.push_back({std::string(word), false, code.at});
  return run.match(code, keys, {flags.begin(), flags.end()});
}

}  // namespace postern::sieve
