// include, return and global (RFC 6609).
#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "sieve/functions.h"

namespace postern::sieve {
namespace {

// RFC 5804 §1.6: UTF-8, no control characters, no line or paragraph separators.
bool is_script_name(std::string_view name) {
  return !name.empty() && name.size() <= 512 && is_utf8(name) &&
         std::ranges::none_of(
             name, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; }) &&
         name.find('/') == std::string_view::npos &&
         name.find("\xE2\x80\xA8") == std::string_view::npos &&
         name.find("\xE2\x80\xA9") == std::string_view::npos;
}

// The script of this key, compiled once a run; nothing if it doesn't exist.
Result<std::shared_ptr<const Script>> load(Run& run, Location location, const std::string& name,
                                           const std::string& key) {
  if (const auto at = run.compiled().find(key); at != run.compiled().end()) return at->second;
  const auto text = TRY(run.host().script(location, name));
  if (!text) return std::shared_ptr<const Script>();
  Diagnostics diagnostics;
  auto script = compile(*text, run.frame().script->environment, diagnostics);
  if (!script) {
    const auto error = std::ranges::find(diagnostics, Severity::error, &Diagnostic::severity);
    return fail(Errc::bad_syntax, "include: the script \"{}\" has an error in line {}: {}", name,
                error->at.line, error->text);
  }
  run.compiled().emplace(key, script);
  return script;
}

}  // namespace

void check_include(Checker& checker, Code& code) {
  const Text& name = code.args.front().strings.front();
  if (name.has_variables)
    checker.error(name.at, "the name of an included script must be a constant");
  else if (!is_script_name(name.text))
    checker.error(name.at, fmt::format("\"{}\" can't be a script's name", name.text));
}

Result<Flow> run_include(Run& run, const Code& code) {
  const bool global = code.has(Tag::global);
  const std::string& name = code.args.front().strings.front().text;
  const std::string key = (global ? ":global " : ":personal ") + name;
  const bool active =
      std::ranges::any_of(run.frames(), [&](const auto& frame) { return frame->name == key; });
  if (code.has(Tag::once) && (active || run.included().contains(key))) return Flow::next;
  if (active) return fail(Errc::bad_syntax, "include: \"{}\" includes itself", name);
  if (run.frames().size() > run.limits().include_depth ||
      ++run.used().includes > run.limits().includes)
    return fail(Errc::limit, "include: too deep or too many");
  auto script = TRY(load(run, global ? Location::global : Location::personal, name, key));
  if (script == nullptr) {
    if (code.has(Tag::optional)) return Flow::next;
    return fail(Errc::no_such_object, "include: there is no {} script \"{}\"",
                global ? "global" : "personal", name);
  }
  run.included().insert(key);
  return run.include(std::move(script), key);
}

Result<Flow> run_return(Run&, const Code&) { return Flow::return_; }

void check_global(Checker& checker, Code& code) {
  if (!checker.has(Cap::variables))
    checker.error(code.at, "'global' needs: require \"variables\";");
  for (const auto& name : code.args.front().strings)
    if (name.has_variables || parse_variable_name(name.text).kind != VariableName::Kind::plain)
      checker.error(name.at, fmt::format("\"{}\" can't be a variable's name", name.text));
}

Result<Flow> run_global(Run& run, const Code& code) {
  for (const auto& name : code.args.front().strings) {
    if (run.frame().variables.is_local(name.text))
      return fail(Errc::bad_syntax, "global: \"{}\" is already a variable of this script",
                  name.text);
    run.frame().variables.declare_global(name.text);
  }
  return Flow::next;
}

}  // namespace postern::sieve
