// addheader and deleteheader (RFC 5293).
#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/mime/encoded_word.h"
#include "sieve/functions.h"
#include "sieve/select.h"

namespace postern::sieve {
namespace {

// RFC 5293 §6: trace fields and the mark of automatic mail stay as they are.
bool is_protected(Run& run, std::string_view name) {
  const auto same = [&](std::string_view other) { return iequals(name, other); };
  return same("Received") || same("Auto-Submitted") ||
         std::ranges::any_of(run.frame().script->environment.protected_fields, same);
}

Result<void> count_edit(Run& run) {
  if (++run.used().header_edits > run.limits().header_edits)
    return fail(Errc::limit, "too many header edits (over {})", run.limits().header_edits);
  return {};
}

// A value for the wire: encoded-words where it is not ASCII, no line ends but folds.
std::string wire_value(std::string_view text) {
  std::string clean;
  for (const char c : text) {
    const bool control = static_cast<unsigned char>(c) < ' ' || c == 0x7F;
    if (!control)
      clean += c;
    else if (c == '\n' || c == '\t')
      clean += ' ';
  }
  const auto first = clean.find_first_not_of(' ');
  if (first == std::string::npos) return {};
  clean = clean.substr(first, clean.find_last_not_of(' ') - first + 1);
  return is_ascii(clean) ? clean : mime::encode_header_text(clean);
}

std::size_t longest_line(std::string_view value) {
  std::size_t longest = 0;
  for (const auto line : split(value, '\n')) longest = std::max(longest, line.size());
  return longest;
}

// RFC 5322 §2.1.1: 998 characters, without the ": " that stands between.
constexpr std::size_t kLongestLine = 996;

}  // namespace

void check_addheader(Checker& checker, Code& code) {
  const Text& name = code.args.front().strings.front();
  if (!name.has_variables && !is_field_name(name.text))
    checker.error(name.at, fmt::format("\"{}\" can't be a header field's name", name.text));
}

Result<Flow> run_addheader(Run& run, const Code& code) {
  TRY(count_edit(run));
  AddHeader action{run.arg_string(code, 0), wire_value(run.arg_string(code, 1)),
                   code.has(Tag::last)};
  if (!is_field_name(action.name))
    return fail(Errc::bad_syntax, "addheader: \"{}\" can't be a header field's name", action.name);
  if (action.value.size() > run.limits().header_field_octets ||
      action.name.size() + longest_line(action.value) > kLongestLine)
    return fail(Errc::limit, "addheader: the field is too long");
  if (is_protected(run, action.name)) {
    run.note(fmt::format("addheader {} left out: the field is protected", action.name));
    return Flow::next;
  }
  run.message().add_field(action.name, action.value, action.last);
  TRY(run.act(code, std::move(action), true));
  return Flow::next;
}

void check_deleteheader(Checker& checker, Code& code) {
  const bool values = code.args.back().kind != Value::Kind::none;
  if (values)
    check_match(checker, code);
  else if (std::ranges::any_of(code.tags, [](const auto& tag) {
             return tag.first != Tag::index && tag.first != Tag::last;
           }))
    checker.error(code.at, "a match type or comparator needs values to compare with");
  if (code.match.type == MatchType::count)
    checker.error(code.at, "':count' doesn't go with 'deleteheader'");
  if (code.has(Tag::last) && !code.has(Tag::index))
    checker.error(code.at, "':last' needs ':index'");
  const Text& name = code.args.front().strings.front();
  if (!name.has_variables && !is_field_name(name.text))
    checker.error(name.at, fmt::format("\"{}\" can't be a header field's name", name.text));
}

Result<Flow> run_deleteheader(Run& run, const Code& code) {
  TRY(count_edit(run));
  const auto name = run.arg_string(code, 0);
  if (is_protected(run, name)) {
    run.note(fmt::format("deleteheader {} left out: the field is protected", name));
    return Flow::next;
  }
  const auto named = [&](const Field& field) { return iequals(field.name(), name); };
  const auto& fields = run.message().fields();
  const auto total = static_cast<std::size_t>(std::ranges::count_if(fields, named));
  // Which of the named fields go: by number first, then by value (RFC 5293 §4).
  std::vector<bool> goes;
  for (const auto& field : fields) {
    if (!named(field)) continue;
    bool go = true;
    if (const Value* index = code.find(Tag::index)) {
      const std::size_t number = code.has(Tag::last) ? total - goes.size() : goes.size() + 1;
      go = number == index->number;
    }
    if (go && code.args.back().kind != Value::Kind::none)
      go = TRY(run.match(code, code.args.back(), {std::string_view(field.text())}));
    goes.push_back(go);
  }
  std::size_t at = 0;
  const auto removed =
      run.message().remove_fields([&](const Field& field) { return named(field) && goes[at++]; });
  TRY(run.act(code, DeleteHeader{name, removed}, true));
  return Flow::next;
}

}  // namespace postern::sieve
