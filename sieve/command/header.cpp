// header, exists and size (RFC 5228 §5.5, §5.7, §5.9) with :index (RFC 5260 §6) and :mime
// (RFC 5703 §4).
#include "lib/base/text.h"
#include "lib/mime/parameters.h"
#include "sieve/functions.h"
#include "sieve/match.h"
#include "sieve/select.h"

namespace postern::sieve {
namespace {

// What :type, :subtype, :contenttype or :param take out of a structured field (RFC 5703 §4.1).
std::vector<std::string> structured_values(Run& run, const Code& code, const Field& field) {
  std::vector<std::string> out;
  const auto parsed = mime::parse_parameterized(field.value());
  const auto slash = parsed.main.find('/');
  if (const Value* names = code.find(Tag::param)) {
    for (const auto name : run.strings(*names))
      for (const auto& parameter : parsed.parameters)
        if (iequals(parameter.name, name)) out.push_back(parameter.value);
  } else if (code.has(Tag::type)) {
    out.push_back(parsed.main.substr(0, slash));
  } else if (code.has(Tag::subtype)) {
    out.push_back(slash == std::string::npos ? std::string() : parsed.main.substr(slash + 1));
  } else {
    out.push_back(parsed.main);
  }
  return out;
}

bool structured(const Code& code) {
  return code.has(Tag::type) || code.has(Tag::subtype) || code.has(Tag::contenttype) ||
         code.has(Tag::param);
}

}  // namespace

void check_header(Checker& checker, Code& code) {
  check_match(checker, code);
  check_fields(checker, code, code.args.front());
  if (structured(code) && !code.has(Tag::mime))
    checker.error(code.at, "':type', ':subtype', ':contenttype' and ':param' need ':mime'");
}

Result<bool> test_header(Run& run, const Code& code) {
  Match match(run, code, code.args[1]);
  const bool whole = !structured(code);
  for (const auto* field : TRY(select_fields(run, code, run.strings(code.args[0])))) {
    if (whole && TRY(match.takes(field->text()))) return true;
    if (whole) continue;
    for (const auto& value : structured_values(run, code, *field))
      if (TRY(match.takes(value))) return true;
  }
  return match.at_end();
}

void check_exists(Checker& checker, Code& code) { check_fields(checker, code, code.args.front()); }

Result<bool> test_exists(Run& run, const Code& code) {
  for (const auto name : run.strings(code.args[0]))
    if (TRY(select_fields(run, code, Strings::of(std::string(name)))).empty()) return false;
  return true;
}

void check_size(Checker& checker, Code& code) {
  if (code.tags.empty()) checker.error(code.at, "'size' needs ':over' or ':under' and a number");
}

Result<bool> test_size(Run& run, const Code& code) {
  const auto size = run.message().size(run.frame().root);
  if (run.message().is_edited()) TRY(run.spend(size / 4096));
  if (const Value* over = code.find(Tag::over)) return size > over->number;
  return size < code.find(Tag::under)->number;
}

}  // namespace postern::sieve
