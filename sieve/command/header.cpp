// header, exists and size (RFC 5228 §5.5, §5.7, §5.9) with :index (RFC 5260 §6) and :mime
// (RFC 5703 §4).
#include "lib/base/text.h"
#include "lib/mime/parameters.h"
#include "sieve/functions.h"
#include "sieve/select.h"

namespace postern::sieve {
namespace {

// What :type, :subtype, :contenttype or :param take out of a structured field (RFC 5703 §4.1).
void structured_values(Run& run, const Code& code, const Field& field,
                       std::vector<std::string>& out) {
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
  const auto names = run.strings(code.args[0]);
  const auto fields = TRY(select_fields(run, code, names));
  std::vector<std::string> taken;
  std::vector<std::string_view> values;
  if (structured(code)) {
    for (const auto* field : fields) structured_values(run, code, *field, taken);
    values.assign(taken.begin(), taken.end());
  } else {
    for (const auto* field : fields) values.push_back(field->text());
  }
  return run.match(code, code.args[1], values);
}

void check_exists(Checker& checker, Code& code) { check_fields(checker, code, code.args.front()); }

Result<bool> test_exists(Run& run, const Code& code) {
  for (const auto name : run.strings(code.args[0])) {
    Strings one;
    one.add(name);
    if (TRY(select_fields(run, code, one)).empty()) return false;
  }
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
