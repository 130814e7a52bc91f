// pipe (vnd.dovecot.pipe): hands the message to a program of the administrator's directory.
#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "sieve/functions.h"

namespace postern::sieve {
namespace {

// A plain file name: no path leads out of the directory.
bool is_program_name(std::string_view name) {
  return !name.empty() && name.size() <= 128 && name.front() != '.' &&
         std::ranges::all_of(name, [](char c) {
           return ascii_alpha(c) || ascii_digit(c) || c == '_' || c == '-' || c == '.';
         });
}

}  // namespace

void check_pipe(Checker& checker, Code& code) {
  const Text& name = code.args.front().strings.front();
  if (name.has_variables)
    checker.error(name.at, "the name of a program must be a constant");
  else if (!is_program_name(name.text))
    checker.error(name.at, fmt::format("\"{}\" can't be a program's name", name.text));
}

Result<Flow> run_pipe(Run& run, const Code& code) {
  if (++run.used().pipes > run.limits().pipes)
    return fail(Errc::limit, "too many programs (over {})", run.limits().pipes);
  Pipe action{run.arg_string(code, 0), {}, code.has(Tag::copy), code.has(Tag::try_)};
  if (code.args.back().kind != Value::Kind::none) {
    for (const auto argument : run.strings(code.args.back())) {
      if (argument.find('\n') != std::string_view::npos)
        return fail(Errc::bad_syntax, "pipe: an argument holds a line end");
      action.arguments.emplace_back(argument);
    }
  }
  const bool keeps = action.copy;
  TRY(run.act(code, std::move(action), keeps));
  return Flow::next;
}

}  // namespace postern::sieve
